// SPDX-License-Identifier: Apache-2.0
// Makes what LUO, memfd and lib/test_kho of kernels before 7.2 (and of drafts) hand over, with libfdt and C structs:
// one handover whose addresses fit together. `luo-older NAME` writes one piece to stdout; fixtures/luo-older/README.md
// says what is in each. Layouts after the kernel's headers, see the sources named in src/schemas/abi/.
#include <libfdt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define PACKED __attribute__((packed))

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;

struct luo_file_ser { char compatible[48]; u64 data, token; } PACKED;
struct luo_session_ser { char name[64]; u64 files, count; } PACKED;
struct luo_session_header_ser { u64 count; } PACKED;
struct luo_flb_header_ser { u64 pgcnt, count; } PACKED;
struct luo_flb_ser { char name[48]; u64 data, count; } PACKED;
struct luo_ser_v2 { u64 liveupdate_num, sessions_pa, flbs_pa; } PACKED;
struct luo_ser_v3 { char compatible[8]; u64 liveupdate_num, sessions_pa, flbs_pa; } PACKED;
struct kho_block_header_ser { u64 next, count; } PACKED;
struct kho_vmalloc { u64 first; u32 total_pages; u16 flags, order; };
struct kho_vmalloc_chunk { u64 next, phys[PAGE / 8 - 1]; };
struct memfd_folio { u64 pfn:52, flags:12; u64 index; } PACKED;
struct memfd_draft_folio { u64 foliodesc, index; };
struct memfd_v1 { u64 pos, size, nr_folios; struct kho_vmalloc folios; } PACKED;
struct memfd_v2_draft { u64 pos, size; u64 seals:8, pad:56; u64 nr_folios; struct kho_vmalloc folios; } PACKED;

enum {
	SESSIONS = 0x100000, FLBS = 0x120000, STATE = 0x130000, SESSION_BLOCK = 0x140000, FILES = 0x200000,
	MEMFD = 0x300000, EMPTY_MEMFD = 0x301000, CHUNK = 0x310000, FOLIOS = 0x320000,
};

static unsigned char out[16 * PAGE];

#define DO(call) do { if ((call) != 0) { fprintf(stderr, "%s failed\n", #call); exit(1); } } while (0)

static size_t finish(void)
{
	DO(fdt_end_node(out));
	DO(fdt_finish(out));
	return fdt_totalsize(out);
}

static void start(void)
{
	DO(fdt_create(out, PAGE));
	DO(fdt_finish_reservemap(out));
	DO(fdt_begin_node(out, ""));
}

static void number(const char *name, u64 value)
{
	DO(fdt_property(out, name, &value, sizeof value));
}

static size_t luo_v1(int with_flb)
{
	start();
	DO(fdt_property_string(out, "compatible", "luo-v1"));
	number("liveupdate-number", 3);
	DO(fdt_begin_node(out, "luo-session"));
	DO(fdt_property_string(out, "compatible", "luo-session-v2"));
	number("luo-session-header", SESSIONS);
	DO(fdt_end_node(out));
	if (with_flb) {
		DO(fdt_begin_node(out, "luo-flb"));
		DO(fdt_property_string(out, "compatible", "luo-flb-v1"));
		number("luo-flb-header", FLBS);
		DO(fdt_end_node(out));
	}
	return finish();
}

static size_t luo_v2(void)
{
	start();
	DO(fdt_property_string(out, "compatible", "luo-v2"));
	number("luo-abi-header", STATE);
	return finish();
}

static const struct luo_session_ser two_sessions[2] = { { "vm-1", FILES, 2 }, { "empty", 0, 0 } };
static const struct kho_vmalloc folios_info = { CHUNK, 1, 1, 0 };

static size_t put(const void *bytes, size_t size)
{
	memcpy(out, bytes, size);
	return size;
}

static size_t sessions(void)
{
	const struct luo_session_header_ser header = { 2 };

	put(&header, sizeof header);
	memcpy(out + sizeof header, two_sessions, sizeof two_sessions);
	return 16 * PAGE;
}

static size_t session_block(void)
{
	const struct kho_block_header_ser header = { 0, 2 };

	put(&header, sizeof header);
	memcpy(out + sizeof header, two_sessions, sizeof two_sessions);
	return PAGE;
}

static size_t files(void)
{
	const struct luo_file_ser two[2] = { { "memfd-v1", MEMFD, 5 }, { "memfd-v1", EMPTY_MEMFD, 0xffffffffffffffff } };

	put(two, sizeof two);
	return 2 * PAGE;
}

static size_t flbs(void)
{
	const struct luo_flb_header_ser header = { 1, 1 };
	const struct luo_flb_ser one = { "liveupdate-test-flb-v0", 0xfeedf00dcafebee0, 2 };

	put(&header, sizeof header);
	memcpy(out + sizeof header, &one, sizeof one);
	return PAGE;
}

static size_t chunk(void)
{
	const struct kho_vmalloc_chunk only = { 0, { FOLIOS } };

	return put(&only, sizeof only);
}

static size_t folios(void)
{
	const struct memfd_folio two[2] = { { 0x12345, 3, 0 }, { 0xfffffffffffff, 2, 512 } };

	put(two, sizeof two);
	return PAGE;
}

static const struct memfd_draft_folio draft_folios[2] = {
	{ 0x12345ul << 12 | 3, 0 }, { 0xffffffffffffful << 12 | 2, 512 },
};

static size_t memfd_fdt(int form)
{
	start();
	number("pos", 7);
	number("size", form == 2 ? 0 : 0x201000);
	if (form == 0)
		DO(fdt_property(out, "folios", draft_folios, sizeof draft_folios));
	if (form == 1) {
		number("nr_folios", 2);
		DO(fdt_property(out, "folios", &folios_info, sizeof folios_info));
	}
	return finish();
}

static size_t kho_test(int is_inline)
{
	const u32 magic = 0x4b484f21, nr_folios = 3, csum = 0x89abcdef;
	const u64 infos[3] = { 0x10000000 | 9, 0x20000000, 0x123456789000 | 10 };

	start();
	DO(fdt_property(out, "compatible", "kho-test-v1", sizeof "kho-test-v1"));
	DO(fdt_property(out, "magic", &magic, sizeof magic));
	DO(fdt_begin_node(out, "data"));
	DO(fdt_property(out, "nr_folios", &nr_folios, sizeof nr_folios));
	if (is_inline)
		DO(fdt_property(out, "folios_info", infos, sizeof infos));
	else
		DO(fdt_property(out, "folios_info", &folios_info, sizeof folios_info));
	DO(fdt_property(out, "csum", &csum, sizeof csum));
	DO(fdt_end_node(out));
	return finish();
}

static size_t make(const char *name)
{
	const struct luo_ser_v2 v2 = { 3, SESSIONS, FLBS };
	const struct luo_ser_v3 v3 = { "luo-v3", 3, SESSIONS, FLBS };
	const struct luo_ser_v3 v4 = { "luo-v4", 3, SESSION_BLOCK, FLBS };
	const struct memfd_v1 memfd = { 7, 0x201000, 2, { CHUNK, 1, 1, 0 } };
	const struct memfd_v1 empty = { 0, 0, 0, { 0, 0, 0, 0 } };
	const struct memfd_v2_draft draft = { 7, 0x201000, 0x2f, 0, 2, { CHUNK, 1, 1, 0 } };

	if (strcmp(name, "luo-v1-plain.dtb") == 0) return luo_v1(0);
	if (strcmp(name, "luo-v1-flb.dtb") == 0) return luo_v1(1);
	if (strcmp(name, "luo-v2.dtb") == 0) return luo_v2();
	if (strcmp(name, "luo-v2-state.bin") == 0) return put(&v2, sizeof v2);
	if (strcmp(name, "luo-v3.bin") == 0) return put(&v3, sizeof v3);
	if (strcmp(name, "luo-v4.bin") == 0) return put(&v4, sizeof v4);
	if (strcmp(name, "sessions.bin") == 0) return sessions();
	if (strcmp(name, "session-block.bin") == 0) return session_block();
	if (strcmp(name, "files.bin") == 0) return files();
	if (strcmp(name, "flbs.bin") == 0) return flbs();
	if (strcmp(name, "chunk.bin") == 0) return chunk();
	if (strcmp(name, "folios.bin") == 0) return folios();
	if (strcmp(name, "memfd-v1.bin") == 0) return put(&memfd, sizeof memfd);
	if (strcmp(name, "memfd-v1-empty.bin") == 0) return put(&empty, sizeof empty);
	if (strcmp(name, "memfd-v2-draft.bin") == 0) return put(&draft, sizeof draft);
	if (strcmp(name, "memfd-v1-inline.dtb") == 0) return memfd_fdt(0);
	if (strcmp(name, "memfd-v1-fdt.dtb") == 0) return memfd_fdt(1);
	if (strcmp(name, "memfd-v1-fdt-empty.dtb") == 0) return memfd_fdt(2);
	if (strcmp(name, "kho-test-inline.dtb") == 0) return kho_test(1);
	if (strcmp(name, "kho-test-vmalloc.dtb") == 0) return kho_test(0);
	return 0;
}

int main(int argc, char **argv)
{
	size_t size = argc == 2 ? make(argv[1]) : 0;

	if (size == 0) {
		fprintf(stderr, "usage: luo-older NAME, see fixtures/luo-older\n");
		return 2;
	}
	return fwrite(out, size, 1, stdout) == 1 ? 0 : 1;
}
