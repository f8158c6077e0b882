// SPDX-License-Identifier: Apache-2.0
// The C side of the VT-d benchmark: a second-stage walk of a raw image, mapped. It does what our walker does: merged
// extents with permission and attribute bits as columns, frames of the table pages by level (each reached once: a bitmap
// of all frames of the image tells), leaves and table entries counted, entries that break a rule counted.
//   vtd plain|tuned collect|stream IMAGE OFFSET FRAME ROOT LEVELS RUNS
// prints nanoseconds of the best run, and a checksum. The image holds the memory from frame FRAME on at file offset
// OFFSET.
// `plain` is the loop one writes first; `tuned` keeps the open extent in registers and compares an entry with the one
// before it plus 4096 before it looks at bits. `stream` reuses a buffer of 8192 rows instead of keeping all extents.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define ADDRESS 0x000ffffffffff000ull
#define BUFFER_ROWS 8192

/* Bits of an extent: read, write, execute (as in entries), snoop 8, accessed 16, dirty 32, and the level. */
enum { READ = 1, WRITE = 2, EXECUTE = 4, LEVEL_SHIFT = 12 };

static const uint8_t *image;
static uint64_t first_frame, image_frames;
/* Address bits that the platform lacks: a choice of the caller, none here. */
static volatile uint64_t host_bits = 52;
static uint64_t beyond_host;
static uint64_t *seen;
static int streaming;

static uint64_t *iova_frames, *target_frames, *frame_counts;
static uint16_t *row_bits;
static uint64_t rows, capacity;

static uint64_t *table_pages[5], tables[5], table_room[5], table_entries[5], leaves[5];
static uint64_t findings, flushed, check;

static struct {
	uint64_t iova, frame, frames;
	unsigned bits;
} open_extent;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void *grown(void *old, size_t size)
{
	void *memory = realloc(old, size);
	if (!memory)
		exit(2);
	return memory;
}

static void room_for_row(void)
{
	if (streaming && capacity) {
		flushed += rows;
		rows = 0;
		return;
	}
	capacity = capacity ? capacity * 2 : BUFFER_ROWS;
	iova_frames = grown(iova_frames, capacity * 8);
	target_frames = grown(target_frames, capacity * 8);
	frame_counts = grown(frame_counts, capacity * 8);
	row_bits = grown(row_bits, capacity * 2);
}

static void emit(uint64_t iova, uint64_t frame, uint64_t frames, unsigned bits)
{
	if (!frames)
		return;
	if (rows == capacity)
		room_for_row();
	iova_frames[rows] = iova;
	target_frames[rows] = frame;
	frame_counts[rows] = frames;
	row_bits[rows] = bits;
	rows++;
}

static void map(uint64_t iova, uint64_t frame, uint64_t frames, unsigned bits)
{
	if (iova == open_extent.iova + open_extent.frames && frame == open_extent.frame + open_extent.frames &&
	    bits == open_extent.bits) {
		open_extent.frames += frames;
		return;
	}
	emit(open_extent.iova, open_extent.frame, open_extent.frames, open_extent.bits);
	open_extent.iova = iova;
	open_extent.frame = frame;
	open_extent.frames = frames;
	open_extent.bits = bits;
}

static unsigned bits_of(uint64_t entry)
{
	return (entry & (READ | WRITE | EXECUTE)) | (entry >> 11 & 1) << 3 | (entry >> 8 & 1) << 4 | (entry >> 9 & 1) << 5;
}

/** The table at a frame, or NULL; counts it once. */
static const uint64_t *enter(int level, uint64_t frame)
{
	uint64_t at = frame - first_frame;
	if (at >= image_frames) {
		findings++;
		return NULL;
	}
	if (seen[at / 64] >> at % 64 & 1) {
		findings++;
		return NULL;
	}
	seen[at / 64] |= 1ull << at % 64;
	if (tables[level - 1] == table_room[level - 1]) {
		table_room[level - 1] = table_room[level - 1] ? table_room[level - 1] * 2 : 512;
		table_pages[level - 1] = grown(table_pages[level - 1], table_room[level - 1] * 8);
	}
	table_pages[level - 1][tables[level - 1]++] = frame;
	return (const uint64_t *)(image + (at << 12));
}

/** A level 1 table: most entries need one comparison. */
static void walk_leaves_tuned(const uint64_t *entries, uint64_t iova, unsigned path)
{
	uint64_t start = open_extent.iova, frame = open_extent.frame, end = start + open_extent.frames;
	unsigned bits = open_extent.bits;
	uint64_t next = 0, mapped = 0;
	for (int index = 0; index < 512; index++) {
		uint64_t entry = entries[index];
		if (entry == next && entry) {
			next = entry + 4096;
			mapped++;
			continue;
		}
		/* `next` is 0 or continues the entry before this one: what was skipped belongs to the open extent. */
		if (next)
			end = iova + index;
		next = 0;
		if (!(entry & 3)) {
			if (entry)
				findings++;
			continue;
		}
		if (entry & ADDRESS & beyond_host)
			findings++;
		unsigned these = (bits_of(entry) & path) | 1 << LEVEL_SHIFT;
		uint64_t target = (entry & ADDRESS) >> 12;
		mapped++;
		if (iova + index != end || target != frame + (end - start) || these != bits) {
			emit(start, frame, end - start, bits);
			start = iova + index;
			frame = target;
			bits = these;
		}
		end = iova + index + 1;
		next = target == ADDRESS >> 12 ? 0 : entry + 4096;
	}
	if (next)
		end = iova + 512;
	leaves[0] += mapped;
	open_extent.iova = start;
	open_extent.frame = frame;
	open_extent.frames = end - start;
	open_extent.bits = bits;
}

static void walk(int level, uint64_t frame, uint64_t iova, unsigned path, int tuned)
{
	const uint64_t *entries = enter(level, frame);
	if (!entries)
		return;
	if (tuned && level == 1) {
		walk_leaves_tuned(entries, iova, path);
		return;
	}
	uint64_t frames = 1ull << 9 * (level - 1);
	for (uint64_t index = 0; index < 512; index++) {
		uint64_t entry = entries[index];
		if (!(entry & 3)) {
			if (entry)
				findings++;
			continue;
		}
		unsigned bits = bits_of(entry) & path;
		if (entry & ADDRESS & beyond_host)
			findings++;
		if (level > 3 || (level > 1 && !(entry & 0x80))) {
			if (entry & (level > 3 ? 0x880 : 0x800))
				findings++;
			table_entries[level - 1]++;
			walk(level - 1, (entry & ADDRESS) >> 12, iova + index * frames, bits | ~7u, tuned);
			continue;
		}
		if (entry & ADDRESS & ((frames - 1) << 12))
			findings++;
		leaves[level - 1]++;
		map(iova + index * frames, (entry & ADDRESS) >> 12 & ~(frames - 1), frames, bits | level << LEVEL_SHIFT);
	}
}

int main(int argc, char **argv)
{
	if (argc != 9)
		return 2;
	int tuned = !strcmp(argv[1], "tuned");
	streaming = !strcmp(argv[2], "stream");
	int file = open(argv[3], O_RDONLY);
	struct stat status;
	if (file < 0 || fstat(file, &status))
		return 2;
	image = mmap(NULL, status.st_size, PROT_READ, MAP_SHARED, file, 0);
	if (image == MAP_FAILED)
		return 2;
	uint64_t offset = strtoull(argv[4], NULL, 0);
	first_frame = strtoull(argv[5], NULL, 0);
	image += offset;
	image_frames = (status.st_size - offset) / 4096;
	beyond_host = ~((1ull << host_bits) - 1);
	uint64_t root = strtoull(argv[6], NULL, 0), best = UINT64_MAX;
	int levels = atoi(argv[7]);
	for (int run = 0; run < atoi(argv[8]); run++) {
		uint64_t start = now();
		seen = calloc(image_frames / 64 + 1, 8);
		if (!seen)
			return 2;
		rows = capacity = flushed = findings = 0;
		memset(&open_extent, 0, sizeof open_extent);
		walk(levels, root >> 12, 0, ~0u, tuned);
		emit(open_extent.iova, open_extent.frame, open_extent.frames, open_extent.bits);
		uint64_t took = now() - start;
		if (took < best)
			best = took;
		check = flushed + rows + 3 * findings;
		for (int level = 0; level < levels; level++)
			check += (level + 5) * (leaves[level] + table_entries[level] + tables[level]);
		if (!streaming)
			for (uint64_t row = 0; row < rows; row++)
				check += (iova_frames[row] * 3 + target_frames[row] * 5 + frame_counts[row] * 7 + row_bits[row]) & 0xfffff;
		free(iova_frames);
		free(target_frames);
		free(frame_counts);
		free(row_bits);
		iova_frames = target_frames = frame_counts = NULL;
		row_bits = NULL;
		free(seen);
		for (int level = 0; level < 5; level++) {
			free(table_pages[level]);
			table_pages[level] = NULL;
			tables[level] = table_room[level] = table_entries[level] = leaves[level] = 0;
		}
	}
	printf("%llu %llu\n", (unsigned long long)best, (unsigned long long)check);
	return 0;
}
