// SPDX-License-Identifier: Apache-2.0
// Walks page tables as VT-d hardware reads them (VT-d specification 5.x, 9.8 second stage, 9.5 first stage), one entry
// after another. Reads inputs from stdin, each after its length (u32, host order), as test/fuzz/targets/vtd.ts has them:
// byte 1 is the stage (bit 0: first) and the number of levels (bits 7:4), bit 7 of byte 3 whether
// pages are read again 4096 times or 64, bytes 8 to 15 the address of the top table
// (little-endian); from byte 16 on pieces of memory: address (u64), length (u32), bytes; zeros around them in their
// pages, nothing elsewhere. Writes for each how many extents there are (u32), and their FNV-1a hash (u32).
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS 0x000ffffffffff000ull
#define MOST_PIECES 512
#define MOST_PAGES 8192
#define MOST_INPUT (1 << 20)

enum {
	READ = 1, WRITE = 2, EXECUTE = 4, SNOOP = 8, ACCESSED = 16, DIRTY = 32, USER = 64, GLOBAL = 128,
	WRITE_THROUGH = 256, CACHE_DISABLE = 512, PAT = 1024, LEVEL_SHIFT = 12,
};

struct page {
	uint64_t pfn;
	int reached;
	uint8_t bytes[4096];
};

static struct page *pages[MOST_PAGES];
static int page_count;
static int slots[4 * MOST_PAGES];

/* Pages that were read before are read again this often in all. */
static int most_repeats;
static int first_stage, levels, repeats;
static uint32_t extents, hash;
static struct {
	uint64_t iova, frame, frames;
	unsigned bits;
} open_extent;

static int *slot_of(uint64_t pfn)
{
	uint32_t at = (uint32_t)((pfn * 0x9e3779b97f4a7c15ull) >> 40) % (4 * MOST_PAGES);
	while (slots[at] && pages[slots[at] - 1]->pfn != pfn)
		at = (at + 1) % (4 * MOST_PAGES);
	return &slots[at];
}

static void put(uint64_t address, const uint8_t *bytes, size_t length)
{
	while (length) {
		int *slot = slot_of(address >> 12);
		if (!*slot) {
			if (page_count == MOST_PAGES)
				exit(3);
			if (!pages[page_count])
				pages[page_count] = malloc(sizeof(struct page));
			memset(pages[page_count], 0, sizeof(struct page));
			pages[page_count]->pfn = address >> 12;
			*slot = ++page_count;
		}
		size_t within = address & 4095, part = 4096 - within < length ? 4096 - within : length;
		memcpy(pages[*slot - 1]->bytes + within, bytes, part);
		address += part;
		bytes += part;
		length -= part;
	}
}

static void add(uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		hash = (hash ^ (uint8_t)(value >> (8 * i))) * 16777619u;
}

static void flush(void)
{
	if (!open_extent.frames)
		return;
	extents++;
	add(open_extent.iova, 8);
	add(open_extent.frame, 8);
	add(open_extent.frames, 8);
	add(open_extent.bits, 2);
}

static void map(uint64_t iova, uint64_t frame, uint64_t frames, unsigned bits)
{
	if (open_extent.frames && iova == open_extent.iova + open_extent.frames &&
	    frame == open_extent.frame + open_extent.frames && bits == open_extent.bits) {
		open_extent.frames += frames;
		return;
	}
	flush();
	open_extent.iova = iova;
	open_extent.frame = frame;
	open_extent.frames = frames;
	open_extent.bits = bits;
}

/* What the entry grants (the path takes part in this), and what only leaves say. */
static unsigned grants(uint64_t entry)
{
	if (!first_stage)
		return entry & 7;
	unsigned bits = READ;
	if (entry & 1 << 1)
		bits |= WRITE;
	if (entry & 1 << 2)
		bits |= USER;
	if (!(entry >> 63))
		bits |= EXECUTE;
	return bits;
}

static unsigned says(uint64_t entry, int level)
{
	unsigned bits = 0;
	if (!first_stage) {
		if (entry & 1 << 8)
			bits |= ACCESSED;
		if (entry & 1 << 9)
			bits |= DIRTY;
		if (entry & 1 << 11)
			bits |= SNOOP;
		return bits;
	}
	if (entry & 1 << 3)
		bits |= WRITE_THROUGH;
	if (entry & 1 << 4)
		bits |= CACHE_DISABLE;
	if (entry & 1 << 5)
		bits |= ACCESSED;
	if (entry & 1 << 6)
		bits |= DIRTY;
	if (entry & 1 << 8)
		bits |= GLOBAL;
	if (entry & (level == 1 ? 1 << 7 : 1 << 12))
		bits |= PAT;
	return bits;
}

static void walk(int level, uint64_t table, uint64_t iova, unsigned path)
{
	int slot = *slot_of(table >> 12);
	if (!slot)
		return;
	struct page *page = pages[slot - 1];
	if (page->reached && ++repeats > most_repeats)
		return;
	page->reached = 1;
	for (uint64_t index = 0; index < 512; index++) {
		uint64_t entry, span = 1ull << 9 * (level - 1), at = iova + index * span;
		memcpy(&entry, page->bytes + index * 8, 8);
		if (!(entry & (first_stage ? 1 : 3)))
			continue;
		/* IOVAs of the first stage continue the sign of the highest bit that is translated. */
		uint64_t half = 1ull << (9 * levels - 1);
		if (first_stage && level == levels && (at & half))
			at |= ((1ull << 52) - 1) & ~(2 * half - 1);
		unsigned granted = grants(entry) & path;
		if (level == 1 || (level <= 3 && entry & 0x80))
			map(at, (entry & ADDRESS) >> 12 & ~(span - 1), span, granted | says(entry, level) | level << LEVEL_SHIFT);
		else
			walk(level - 1, entry & ADDRESS, at, granted);
	}
}

int main(void)
{
	static uint8_t input[MOST_INPUT];
	for (uint32_t length; fread(&length, sizeof length, 1, stdin) == 1;) {
		if (length > sizeof input || fread(input, 1, length, stdin) != length)
			return 2;
		memset(slots, 0, sizeof slots);
		memset(&open_extent, 0, sizeof open_extent);
		page_count = repeats = 0;
		extents = 0;
		hash = 2166136261u;
		if (length >= 16) {
			uint64_t root;
			memcpy(&root, input + 8, 8);
			first_stage = input[1] & 1;
			levels = input[1] >> 4;
			most_repeats = input[3] & 0x80 ? 4096 : 64;
			uint32_t at = 16;
			for (int count = 0; at + 12 <= length && count < MOST_PIECES; count++) {
				uint64_t address;
				uint32_t size;
				memcpy(&address, input + at, 8);
				memcpy(&size, input + at + 8, 4);
				at += 12;
				if (size > length - at)
					size = length - at;
				if (address < 1ull << 52)
					put(address, input + at, size);
				at += size;
			}
			if (levels <= 5 && levels >= (first_stage ? 4 : 3))
				walk(levels, root & ADDRESS, 0, ~0u);
			flush();
		}
		fwrite(&extents, sizeof extents, 1, stdout);
		fwrite(&hash, sizeof hash, 1, stdout);
	}
	return 0;
}
