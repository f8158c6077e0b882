#ifndef ONE_OF_EACH_H
#define ONE_OF_EACH_H

#include <stddef.h>
#include <linux/types.h>

/*
 * /: One of each.
 * /compatible: text
 * /fixed: 162 bytes, Of fixed size.
 * /note: for people
 * /cell: 4 bytes, a cell
 * /cells: 8 bytes, integer
 * /native: 8 bytes, integer
 * /negative: 4 bytes, integer
 * /small: 1 bytes, integer
 * /label: 6 bytes, chars
 * /blob: bytes
 * /three: 3 bytes, bytes
 * /may: 2 bytes, or may not
 * /list: array
 * /open: struct
 * /to: 8 bytes, pointer
 * /inside:
 * /inside/x: 1 bytes, x * /
 * /perhaps: Not always.
 * /perhaps/y: 1 bytes, integer
 * /<users>: A user.
 * /<users>/id: 4 bytes, integer
 * /<users>/<numbers>:
 * /<users>/<numbers>/value: 1 bytes, integer
 */

/* first */
struct first {
	__u32 x; /* an x */
} __attribute__((packed));
_Static_assert(sizeof(struct first) == 4, "first");
_Static_assert(offsetof(struct first, x) == 0, "first.x");

/* second */
struct second {
	__u64 y;
	__u16 z;
} __attribute__((packed));
_Static_assert(sizeof(struct second) == 10, "second");
_Static_assert(offsetof(struct second, y) == 0, "second.y");
_Static_assert(offsetof(struct second, z) == 8, "second.z");

/* Where the pages of a vmalloc area lie. */
struct kho_vmalloc {
	__u64 first; /* the first chunk; physical address of struct kho_vmalloc_chunk */
	__u32 total_pages; /* size of the area */
	__u16 flags; /* how the area was made */
	__u16 order; /* page order of each address */
};
_Static_assert(sizeof(struct kho_vmalloc) == 16, "kho_vmalloc");
_Static_assert(offsetof(struct kho_vmalloc, first) == 0, "kho_vmalloc.first");
_Static_assert(offsetof(struct kho_vmalloc, total_pages) == 8, "kho_vmalloc.total_pages");
_Static_assert(offsetof(struct kho_vmalloc, flags) == 12, "kho_vmalloc.flags");
_Static_assert(offsetof(struct kho_vmalloc, order) == 14, "kho_vmalloc.order");

/* nested */
struct nested {
	__u16 b;
} __attribute__((packed));
_Static_assert(sizeof(struct nested) == 2, "nested");
_Static_assert(offsetof(struct nested, b) == 0, "nested.b");

/* last */
struct last {
	__u8 a;
	struct nested nested;
} __attribute__((packed));
_Static_assert(sizeof(struct last) == 3, "last");
_Static_assert(offsetof(struct last, a) == 0, "last.a");
_Static_assert(offsetof(struct last, nested) == 1, "last.nested");

/* Of fixed size. */
struct fixed {
	__u32 kind;
	__be16 big16;
	__u8 small;
	__s32 signed; /* may be negative */
	char version[8]; /* which */
	char letters[4];
	__u8 raw[3]; /* as they are */
	__u8 unused[2]; /* whatever */
	__u8 zero[4];
	__u64 one; /* the one; physical address of struct inner */
	__u64 many; /* physical address of u16[kind] */
	__u64 open; /* physical address of struct open */
	__u64 page; /* physical address of struct page */
	__u64 tree; /* physical address of an FDT */
	__u64 memory; /* physical address of kind bytes */
	__be64 any; /* physical address of a page */
	__u64 found; /* physical address of things by version */
	__u64 other; /* physical address of things */
	__u64 radix; /* physical address of radix tree of struct kho_radix_node */
	__u16 numbers[3];
	__u64 low : 12; /* low bits * / */
	__u64 middle : 40;
	__u64 high : 12;
	__u8 one : 1;
	__u8 rest : 7;
	union {
		struct first first; /* kind 1 */
		struct second second; /* kind 2 */
		__u8 raw[16];
	} which; /* by kind */
	struct kho_vmalloc files; /* the files */
	struct last last;
} __attribute__((packed));
_Static_assert(sizeof(struct fixed) == 162, "fixed");
_Static_assert(offsetof(struct fixed, kind) == 0, "fixed.kind");
_Static_assert(offsetof(struct fixed, big16) == 4, "fixed.big16");
_Static_assert(offsetof(struct fixed, small) == 6, "fixed.small");
_Static_assert(offsetof(struct fixed, signed) == 7, "fixed.signed");
_Static_assert(offsetof(struct fixed, version) == 11, "fixed.version");
_Static_assert(offsetof(struct fixed, letters) == 19, "fixed.letters");
_Static_assert(offsetof(struct fixed, raw) == 23, "fixed.raw");
_Static_assert(offsetof(struct fixed, unused) == 26, "fixed.unused");
_Static_assert(offsetof(struct fixed, zero) == 28, "fixed.zero");
_Static_assert(offsetof(struct fixed, one) == 32, "fixed.one");
_Static_assert(offsetof(struct fixed, many) == 40, "fixed.many");
_Static_assert(offsetof(struct fixed, open) == 48, "fixed.open");
_Static_assert(offsetof(struct fixed, page) == 56, "fixed.page");
_Static_assert(offsetof(struct fixed, tree) == 64, "fixed.tree");
_Static_assert(offsetof(struct fixed, memory) == 72, "fixed.memory");
_Static_assert(offsetof(struct fixed, any) == 80, "fixed.any");
_Static_assert(offsetof(struct fixed, found) == 88, "fixed.found");
_Static_assert(offsetof(struct fixed, other) == 96, "fixed.other");
_Static_assert(offsetof(struct fixed, radix) == 104, "fixed.radix");
_Static_assert(offsetof(struct fixed, numbers) == 112, "fixed.numbers");
_Static_assert(offsetof(struct fixed, which) == 127, "fixed.which");
_Static_assert(offsetof(struct fixed, files) == 143, "fixed.files");
_Static_assert(offsetof(struct fixed, last) == 159, "fixed.last");

/* Cannot end a comment with * / this. */
struct inner {
	__u32 a; /* the first */
	__u16 flags;
	__u8 kind;
	__u8 pad[1]; /* padding */
};
_Static_assert(sizeof(struct inner) == 8, "inner");
_Static_assert(offsetof(struct inner, a) == 0, "inner.a");
_Static_assert(offsetof(struct inner, flags) == 4, "inner.flags");
_Static_assert(offsetof(struct inner, kind) == 6, "inner.kind");
_Static_assert(offsetof(struct inner, pad) == 7, "inner.pad");

/* open */
struct open {
	__u32 count;
	__u16 items[];
} __attribute__((packed));
_Static_assert(sizeof(struct open) == 4, "open");
_Static_assert(offsetof(struct open, count) == 0, "open.count");
_Static_assert(offsetof(struct open, items) == 4, "open.items");

/* page */
struct page {
	__u64 next; /* the next; physical address of the next of these */
	__u64 count;
	struct inner list[]; /* in order */
} __attribute__((packed));
_Static_assert(sizeof(struct page) == 16, "page");
_Static_assert(offsetof(struct page, next) == 0, "page.next");
_Static_assert(offsetof(struct page, count) == 8, "page.count");
_Static_assert(offsetof(struct page, list) == 16, "page.list");

/* A table of the radix tree of preserved pages. */
struct kho_radix_node {
	__u64 table[512]; /* tables or leaves one level below, 0 where there is none */
} __attribute__((packed));
_Static_assert(sizeof(struct kho_radix_node) == 4096, "kho_radix_node");
_Static_assert(offsetof(struct kho_radix_node, table) == 0, "kho_radix_node.table");

/* A leaf of the radix tree of preserved pages. */
struct kho_radix_leaf {
	__u8 bitmap[4096]; /* bit b is set when key (index of the leaf << 15 | b) is in the tree */
} __attribute__((packed));
_Static_assert(sizeof(struct kho_radix_leaf) == 4096, "kho_radix_leaf");
_Static_assert(offsetof(struct kho_radix_leaf, bitmap) == 0, "kho_radix_leaf.bitmap");

/* Addresses of the pages of a vmalloc area. */
struct kho_vmalloc_chunk {
	__u64 next; /* the next chunk; physical address of the next of these */
	__u64 phys[511]; /* pages of the area, in order; 0 where there is none */
};
_Static_assert(sizeof(struct kho_vmalloc_chunk) == 4096, "kho_vmalloc_chunk");
_Static_assert(offsetof(struct kho_vmalloc_chunk, next) == 0, "kho_vmalloc_chunk.next");
_Static_assert(offsetof(struct kho_vmalloc_chunk, phys) == 8, "kho_vmalloc_chunk.phys");

#endif /* ONE_OF_EACH_H */
