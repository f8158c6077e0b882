// SPDX-License-Identifier: Apache-2.0
// The libfdt side of the FDT benchmark. Prints nanoseconds of the best of several runs, and a checksum.
//   fdt traverse BLOB RUNS           every node name, property name, value (fdt_next_node, fdt_getprop_by_offset)
//   fdt write GROUPS CHILDREN RUNS   sequential write of GROUPS x CHILDREN nodes of three 8-byte properties
//   fdt names COUNT                  sequential write of one node with COUNT distinct property names
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void must(int result)
{
	if (result < 0) {
		fprintf(stderr, "libfdt: %s\n", fdt_strerror(result));
		exit(2);
	}
}

static uint64_t traverse(const void *fdt)
{
	uint64_t sum = 0;
	int depth = 0;
	for (int node = 0; node >= 0 && depth >= 0; node = fdt_next_node(fdt, node, &depth)) {
		int length, property;
		fdt_get_name(fdt, node, &length);
		sum += length;
		fdt_for_each_property_offset(property, fdt, node) {
			const char *name;
			const uint8_t *value = fdt_getprop_by_offset(fdt, property, &name, &length);
			sum += length + (length ? value[0] : 0) + (name[0] != 0);
		}
	}
	return sum;
}

static uint64_t write_tree(char *buffer, size_t room, int groups, int children, char (*names)[12])
{
	uint64_t value = 0x1122334455667788;
	must(fdt_create(buffer, room));
	must(fdt_finish_reservemap(buffer));
	must(fdt_begin_node(buffer, ""));
	for (int group = 0; group < groups; group++) {
		must(fdt_begin_node(buffer, names[group]));
		for (int child = 0; child < children; child++) {
			must(fdt_begin_node(buffer, names[child]));
			must(fdt_property(buffer, "iova-start", &value, 8));
			must(fdt_property(buffer, "iova-len", &value, 8));
			must(fdt_property(buffer, "iommu-prot", &value, 8));
			must(fdt_end_node(buffer));
		}
		must(fdt_end_node(buffer));
	}
	must(fdt_end_node(buffer));
	must(fdt_finish(buffer));
	return fdt_totalsize(buffer);
}

int main(int argc, char **argv)
{
	uint64_t best = UINT64_MAX, sum = 0;
	if (argc == 4 && !strcmp(argv[1], "traverse")) {
		FILE *file = fopen(argv[2], "rb");
		fseek(file, 0, SEEK_END);
		size_t size = ftell(file);
		rewind(file);
		char *blob = malloc(size);
		if (fread(blob, 1, size, file) != size)
			return 2;
		for (int run = 0; run < atoi(argv[3]); run++) {
			uint64_t start = now();
			sum = traverse(blob);
			uint64_t took = now() - start;
			best = took < best ? took : best;
		}
	} else if (argc == 5 && !strcmp(argv[1], "write")) {
		int groups = atoi(argv[2]), children = atoi(argv[3]);
		int most = groups > children ? groups : children;
		size_t room = (size_t)groups * children * 80 + groups * 32 + 4096;
		char *buffer = malloc(room);
		char (*names)[12] = malloc(most * 12);
		for (int index = 0; index < most; index++)
			snprintf(names[index], 12, "%d", index);
		for (int run = 0; run < atoi(argv[4]); run++) {
			uint64_t start = now();
			sum = write_tree(buffer, room, groups, children, names);
			uint64_t took = now() - start;
			best = took < best ? took : best;
		}
	} else if (argc == 3 && !strcmp(argv[1], "names")) {
		int count = atoi(argv[2]);
		size_t room = (size_t)count * 64 + 4096;
		char *buffer = malloc(room);
		uint64_t start = now();
		must(fdt_create(buffer, room));
		must(fdt_finish_reservemap(buffer));
		must(fdt_begin_node(buffer, ""));
		for (int index = 0; index < count; index++) {
			char name[32];
			snprintf(name, sizeof name, "property-%d", index);
			must(fdt_property(buffer, name, &sum, 8));
		}
		must(fdt_end_node(buffer));
		must(fdt_finish(buffer));
		best = now() - start;
		sum = fdt_totalsize(buffer);
	} else {
		return 2;
	}
	printf("%llu %llu\n", (unsigned long long)best, (unsigned long long)sum);
	return 0;
}
