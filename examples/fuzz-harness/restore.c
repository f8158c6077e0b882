// SPDX-License-Identifier: Apache-2.0
// A program to fuzz: it takes over what a kernel handed over, as a kernel would, from a blob in a file. It knows two
// roots: `kho-v4` of Linux 7.2 and 7.3, whose nodes say where subsystems put their state, and `kho-v1` in the form of
// 2023 with the nodes of the RFC of 2024 ("Support iommu(fd) persistence for live update"), which hold the state.
//
//   restore FILE    exit 0: restored; 1: refused, with the reason on stderr; 2: no such file
//
// Built with -DPLANTED_BUG one check is missing: a fuzzer should find it.
#include <errno.h>
#include <libfdt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define MOST_BLOB (10 << 20)

#define REFUSE(...)                           \
	do {                                  \
		fprintf(stderr, __VA_ARGS__); \
		fputc('\n', stderr);          \
		return false;                 \
	} while (0)

/* What is restored. */
struct width {
	int bits, levels;
};

static const struct width widths[] = { { 39, 3 }, { 48, 4 }, { 57, 5 } };
/* By AGAW; 0 is a width that no unit of today has. */
static const struct width *const width_of[] = { NULL, &widths[0], &widths[1], &widths[2] };

static struct {
	unsigned subtrees, domains, devices, areas, pages;
	unsigned levels;
	uint64_t mapped;
} restored;

/* Properties hold values of the writer's byte order, and lie at multiples of four only. */
static bool read_value(const void *fdt, int node, const char *name, void *to, int size)
{
	int length;
	const void *value = fdt_getprop(fdt, node, name, &length);

	if (!value)
		REFUSE("%s is missing", name);
	if (length != size)
		REFUSE("%s has %d bytes, not %d", name, length, size);
	memcpy(to, value, size);
	return true;
}

/* The name of a node as a decimal number without sign, blanks or zeros before it. */
static bool read_number(const void *fdt, int node, uint64_t least, uint64_t most, uint64_t *number)
{
	const char *name = fdt_get_name(fdt, node, NULL);
	char *end;

	if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1]))
		REFUSE("node \"%s\" is no number", name);
	errno = 0;
	*number = strtoull(name, &end, 10);
	if (errno || *end || *number < least || *number > most)
		REFUSE("node \"%s\" is no number in range", name);
	return true;
}

static bool has_compatible(const void *fdt, int node, const char *wanted)
{
	return fdt_node_check_compatible(fdt, node, wanted) == 0;
}

/* kho-v4: include/linux/kho/abi/kexec_handover.h. */
static bool restore_subtree(const void *fdt, int node)
{
	uint64_t address, size;

	if (!read_value(fdt, node, "preserved-data", &address, sizeof address))
		return false;
	if (!read_value(fdt, node, "blob-size", &size, sizeof size))
		return false;
	if (!address || address % PAGE)
		REFUSE("preserved-data is not the address of a page");
	restored.subtrees++;
	return true;
}

static bool restore_kho_v4(const void *fdt)
{
	uint64_t map;
	int node;

	if (!read_value(fdt, 0, "preserved-memory-map", &map, sizeof map))
		return false;
	if (!map || map % PAGE)
		REFUSE("preserved-memory-map is not the address of a page");
	fdt_for_each_subnode(node, fdt, 0)
		if (!restore_subtree(fdt, node))
			return false;
	return true;
}

/* intel-iommu-v0: drivers/iommu/intel/serialise.c of the RFC. */
static bool restore_device(const void *fdt, int node)
{
	uint8_t bus, devfn;
	uint64_t position;

	if (!read_number(fdt, node, 0, INT32_MAX, &position))
		return false;
	if (!read_value(fdt, node, "bus", &bus, 1) || !read_value(fdt, node, "devfn", &devfn, 1))
		return false;
	restored.devices++;
	return true;
}

static bool restore_domain(const void *fdt, int domain)
{
	uint64_t id, persistent_id, pgd;
	int32_t agaw;
	int length, devices, node;
	const char *pages;

	if (!read_number(fdt, domain, 1, UINT32_MAX, &id))
		return false;
	if (!read_value(fdt, domain, "persistent_id", &persistent_id, sizeof persistent_id))
		return false;
	if (persistent_id != id)
		REFUSE("persistent_id is not the name of its node");
	if (!read_value(fdt, domain, "pgd", &pgd, sizeof pgd))
		return false;
	if (!pgd || pgd % PAGE)
		REFUSE("pgd is not the address of a page");
	if (!read_value(fdt, domain, "agaw", &agaw, sizeof agaw))
		return false;
#ifndef PLANTED_BUG
	if (agaw < 1 || agaw > 3)
		REFUSE("agaw %d is none of 1, 2, 3", agaw);
#endif
	restored.levels += width_of[agaw]->levels;

	pages = fdt_getprop(fdt, domain, "mem", &length);
	if (!pages)
		REFUSE("mem is missing");
	if (length % 16)
		REFUSE("mem has %d bytes, no multiple of 16", length);
	for (int at = 0; at < length; at += 16) {
		uint64_t page[2];

		memcpy(page, pages + at, sizeof page);
		if (!page[0] || page[0] % PAGE || page[1] != PAGE)
			REFUSE("mem: element %d is not a page", at / 16);
		restored.pages++;
	}

	devices = fdt_subnode_offset(fdt, domain, "devices");
	if (devices < 0)
		REFUSE("a domain without devices");
	fdt_for_each_subnode(node, fdt, devices)
		if (!restore_device(fdt, node))
			return false;
	restored.domains++;
	return true;
}

/* iommufd-v0: drivers/iommu/iommufd/serialise.c of the RFC. */
static bool restore_area(const void *fdt, int node)
{
	uint64_t index, start, length;
	int32_t protection;

	if (!read_number(fdt, node, 0, INT32_MAX, &index))
		return false;
	if (!read_value(fdt, node, "iova-start", &start, sizeof start))
		return false;
	if (!read_value(fdt, node, "iova-len", &length, sizeof length))
		return false;
	if (!read_value(fdt, node, "iommu-prot", &protection, sizeof protection))
		return false;
	/* Whether areas overlap or go round is for the one who maps them. */
	if (!length)
		REFUSE("an area is empty");
	if (protection & ~0x3f)
		REFUSE("iommu-prot has unknown bits");
	restored.mapped += length;
	restored.areas++;
	return true;
}

static bool restore_iommufd(const void *fdt, int iommufd)
{
	uint64_t id;
	int ioases, ioas, area;

	if (!read_number(fdt, iommufd, 1, UINT32_MAX, &id))
		return false;
	ioases = fdt_subnode_offset(fdt, iommufd, "ioases");
	if (ioases < 0)
		REFUSE("an iommufd without ioases");
	fdt_for_each_subnode(ioas, fdt, ioases) {
		if (!read_number(fdt, ioas, 1, INT32_MAX, &id))
			return false;
		fdt_for_each_subnode(area, fdt, ioas)
			if (!restore_area(fdt, area))
				return false;
	}
	return true;
}

/* Restores what is in the list `list` of node `/name`; a handover need not have that node. */
static bool restore_list(const void *fdt, const char *name, const char *compatible, const char *list,
			 bool (*restore)(const void *fdt, int node))
{
	int node = fdt_subnode_offset(fdt, 0, name), each;

	if (node == -FDT_ERR_NOTFOUND)
		return true;
	if (!has_compatible(fdt, node, compatible))
		REFUSE("/%s is not %s", name, compatible);
	node = fdt_subnode_offset(fdt, node, list);
	if (node < 0)
		REFUSE("/%s without %s", name, list);
	fdt_for_each_subnode(each, fdt, node)
		if (!restore(fdt, each))
			return false;
	return true;
}

static bool restore_rfc_2024(const void *fdt)
{
	return restore_list(fdt, "iommufd", "iommufd-v0", "iommufds", restore_iommufd) &&
	       restore_list(fdt, "intel-iommu", "intel-iommu-v0", "domains", restore_domain);
}

static bool restore(const void *fdt, size_t size)
{
	int problem = fdt_check_full(fdt, size);

	if (problem)
		REFUSE("%s", fdt_strerror(problem));
	/* Values are read through names that older versions keep elsewhere. */
	if (fdt_version(fdt) < 16)
		REFUSE("an FDT of version %d", fdt_version(fdt));
	if (has_compatible(fdt, 0, "kho-v4"))
		return restore_kho_v4(fdt);
	if (has_compatible(fdt, 0, "kho-v1"))
		return restore_rfc_2024(fdt);
	REFUSE("the root is neither kho-v4 nor kho-v1");
}

int main(int argc, char **argv)
{
	FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
	char *blob = malloc(MOST_BLOB);

	if (!file || !blob) {
		fprintf(stderr, "usage: restore FILE\n");
		return 2;
	}
	size_t size = fread(blob, 1, MOST_BLOB, file);
	fclose(file);
	bool good = restore(blob, size);
	free(blob);
	if (!good)
		return 1;
	printf("%u subtrees, %u domains (%u levels, %u devices, %u pages), %u areas of %llu bytes\n", restored.subtrees,
	       restored.domains, restored.levels, restored.devices, restored.pages, restored.areas,
	       (unsigned long long)restored.mapped);
	return 0;
}
