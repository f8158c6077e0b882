// SPDX-License-Identifier: Apache-2.0
// Makes blobs as the RFC of 2024 does (<20240916113102.710522-1-jgowans@amazon.com> on <20240117144704.602-1-graf@amazon.com>):
// the same libfdt calls in the same order, values in the C types that its kernel had. `rfc-2024 NAME` writes one to stdout;
// fixtures/rfc-2024/README.md says what is in each.
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kho_mem { uint64_t addr, len; };
struct device { uint8_t bus, devfn; };

struct domain {
	unsigned long id;
	uint64_t pgd;
	int agaw;
	const struct kho_mem *mem;
	int nr_mem;
	const struct device *devices;
	int nr_devices;
};

struct area { unsigned long start, len; int prot; };
struct ioas { unsigned long id; const struct area *areas; int nr_areas; };
struct iommufd { unsigned long id; const struct ioas *ioases; int nr_ioases; };

struct state {
	const struct domain *domains; /* NULL: no such driver */
	int nr_domains;
	const struct iommufd *iommufds;
	int nr_iommufds;
	int has_intel, has_iommufd;
};

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))
#define DO(call) do { if ((call) != 0) { fprintf(stderr, "%s failed\n", #call); exit(1); } } while (0)

static void begin_numbered(void *fdt, unsigned long number)
{
	char name[24];

	snprintf(name, sizeof name, "%lu", number);
	DO(fdt_begin_node(fdt, name));
}

static void write_domain(void *fdt, const struct domain *domain)
{
	begin_numbered(fdt, domain->id);
	DO(fdt_property(fdt, "mem", domain->mem, sizeof(struct kho_mem) * domain->nr_mem));
	DO(fdt_property(fdt, "persistent_id", &domain->id, sizeof domain->id));
	DO(fdt_property(fdt, "pgd", &domain->pgd, sizeof domain->pgd));
	DO(fdt_property(fdt, "agaw", &domain->agaw, sizeof domain->agaw));
	DO(fdt_begin_node(fdt, "devices"));
	for (int i = 0; i < domain->nr_devices; i++) {
		begin_numbered(fdt, i);
		DO(fdt_property(fdt, "bus", &domain->devices[i].bus, sizeof(uint8_t)));
		DO(fdt_property(fdt, "devfn", &domain->devices[i].devfn, sizeof(uint8_t)));
		DO(fdt_end_node(fdt));
	}
	DO(fdt_end_node(fdt));
	DO(fdt_end_node(fdt));
}

static void write_intel_iommu(void *fdt, const struct state *state)
{
	const char compatible[] = "intel-iommu-v0";

	DO(fdt_begin_node(fdt, "intel-iommu"));
	DO(fdt_property(fdt, "compatible", compatible, sizeof compatible));
	DO(fdt_begin_node(fdt, "domains"));
	for (int i = 0; i < state->nr_domains; i++)
		write_domain(fdt, &state->domains[i]);
	DO(fdt_end_node(fdt));
	DO(fdt_end_node(fdt));
}

static void write_ioas(void *fdt, const struct ioas *ioas)
{
	begin_numbered(fdt, ioas->id);
	for (int i = 0; i < ioas->nr_areas; i++) {
		const struct area *area = &ioas->areas[i];

		begin_numbered(fdt, i);
		DO(fdt_property(fdt, "iova-start", &area->start, sizeof area->start));
		DO(fdt_property(fdt, "iova-len", &area->len, sizeof area->len));
		DO(fdt_property(fdt, "iommu-prot", &area->prot, sizeof area->prot));
		DO(fdt_end_node(fdt));
	}
	DO(fdt_end_node(fdt));
}

static void write_iommufd(void *fdt, const struct state *state)
{
	const char compatible[] = "iommufd-v0";

	DO(fdt_begin_node(fdt, "iommufd"));
	DO(fdt_property(fdt, "compatible", compatible, sizeof compatible));
	DO(fdt_begin_node(fdt, "iommufds"));
	for (int i = 0; i < state->nr_iommufds; i++) {
		begin_numbered(fdt, state->iommufds[i].id);
		DO(fdt_begin_node(fdt, "ioases"));
		for (int j = 0; j < state->iommufds[i].nr_ioases; j++)
			write_ioas(fdt, &state->iommufds[i].ioases[j]);
		DO(fdt_end_node(fdt));
		DO(fdt_end_node(fdt));
	}
	DO(fdt_end_node(fdt));
	DO(fdt_end_node(fdt));
}

static void write_state(const struct state *state)
{
	const int size = 10 << 20; /* dt_max */
	void *fdt = calloc(1, size);

	DO(fdt == NULL);
	DO(fdt_create(fdt, size));
	DO(fdt_finish_reservemap(fdt));
	DO(fdt_begin_node(fdt, ""));
	DO(fdt_property_string(fdt, "compatible", "kho-v1"));
	if (state->has_intel)
		write_intel_iommu(fdt, state);
	if (state->has_iommufd)
		write_iommufd(fdt, state);
	DO(fdt_end_node(fdt));
	DO(fdt_finish(fdt));
	DO(fdt_check_header(fdt));
	DO(fwrite(fdt, fdt_totalsize(fdt), 1, stdout) != 1);
}

static const struct kho_mem two_pages[] = { { 0x10000, 0x1000 }, { 0x11000, 0x1000 } };
static const struct device one_device[] = { { 3, 8 } };
static const struct domain reference_domain[] = {
	{ 1, 0x12345000, 2, two_pages, 2, one_device, 1 },
};
static const struct area reference_area[] = { { 0x100000, 0x200000, 7 } };
static const struct ioas reference_ioas[] = { { 1, reference_area, 1 } };
static const struct iommufd reference_iommufd[] = { { 1, reference_ioas, 1 } };

static const struct kho_mem three_pages[] = {
	{ 0x1fffff000, 0x1000 }, { 0x200000000, 0x1000 }, { 0x7ffffffffffff000, 0x1000 },
};
static const struct device three_devices[] = { { 0, 0 }, { 0x3b, 0xff }, { 255, 9 } };
static const struct domain several_domains[] = {
	{ 2, 0x7fff000, 1, NULL, 0, NULL, 0 },
	{ 4294967295, 0x3fffffffff000, 3, three_pages, 3, three_devices, 3 },
};
static const struct area low_areas[] = {
	{ 0, 0x1000, 5 }, { 0x1000, 0x1, 6 }, { 0xfee00000, 0x100000, 7 },
	{ 0xfffffffffffff000, 0x1000, 0x3f },
};
static const struct area high_area[] = { { 0x8000000000, 0x4000000000, 7 } };
static const struct ioas many_ioases[] = { { 1, low_areas, 4 }, { 5, NULL, 0 }, { 2147483647, high_area, 1 } };
static const struct iommufd several_iommufds[] = {
	{ 2, many_ioases, 3 }, { 4294967295, NULL, 0 },
};

int main(int argc, char **argv)
{
	const char *name = argc == 2 ? argv[1] : "";
	struct state state = { .has_intel = 1, .has_iommufd = 1 };
	struct area hundred[100];
	struct ioas ioas = { 1, hundred, COUNT(hundred) };
	struct iommufd iommufd = { 7, &ioas, 1 };

	if (strcmp(name, "reference") == 0) {
		state.domains = reference_domain, state.nr_domains = 1;
		state.iommufds = reference_iommufd, state.nr_iommufds = 1;
	} else if (strcmp(name, "several") == 0) {
		state.domains = several_domains, state.nr_domains = COUNT(several_domains);
		state.iommufds = several_iommufds, state.nr_iommufds = COUNT(several_iommufds);
	} else if (strcmp(name, "hundred-areas") == 0) {
		for (int i = 0; i < COUNT(hundred); i++)
			hundred[i] = (struct area){ 0x200000ul * i, 0x1000ul * (i + 1), 5 + i % 3 };
		state.has_intel = 0;
		state.iommufds = &iommufd, state.nr_iommufds = 1;
	} else if (strcmp(name, "nothing-persistent") != 0) {
		fprintf(stderr, "usage: rfc-2024 reference|several|hundred-areas|nothing-persistent\n");
		return 2;
	}
	write_state(&state);
	return 0;
}
