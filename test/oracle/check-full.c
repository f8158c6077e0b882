// SPDX-License-Identifier: Apache-2.0
// Reads blobs from stdin (u32 length in host order, bytes) and writes for each an i32, what fdt_check_full answers (1
// when libfdt crashed, 2 when it did not come back), and a u32: of a blob that is accepted, the FNV-1a hash of all that
// is in it as libfdt reads it. Reservations come first, address and size as little-endian u64; then the tags but NOPs,
// each as a byte: a node with its name and a NUL, a property with its name, a NUL, its length as little-endian u32, and
// its value. Each blob ends (up to its 8-byte alignment) at an unmapped page.
#include <libfdt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static sigjmp_buf escape;
static uint32_t hash;

static void on_signal(int number)
{
	siglongjmp(escape, number == SIGVTALRM ? 2 : 1);
}

static void add(const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 16777619u;
}

static void add_number(uint64_t value, int size)
{
	for (int i = 0; i < size; i++) {
		uint8_t byte = value >> (8 * i);
		add(&byte, 1);
	}
}

static void traverse(const void *blob)
{
	for (int i = 0; i < fdt_num_mem_rsv(blob); i++) {
		uint64_t address = 0, size = 0;
		fdt_get_mem_rsv(blob, i, &address, &size);
		add_number(address, 8);
		add_number(size, 8);
	}
	for (int offset = 0, next = 0;; offset = next) {
		uint32_t tag = fdt_next_tag(blob, offset, &next);
		if (tag == FDT_NOP)
			continue;
		add_number(tag, 1);
		if (tag == FDT_END)
			return;
		if (tag == FDT_BEGIN_NODE) {
			int length = 0;
			const char *name = fdt_get_name(blob, offset, &length);
			/* Before version 16 names are paths; one without a slash is none for libfdt. */
			if (!name)
				name = (const char *)blob + fdt_off_dt_struct(blob) + offset + 4;
			add(name, strlen(name) + 1);
		} else if (tag == FDT_PROP) {
			const char *name = "";
			int length = 0;
			const void *value = fdt_getprop_by_offset(blob, offset, &name, &length);
			add(name, strlen(name) + 1);
			add_number((uint32_t)length, 4);
			if (value)
				add(value, length);
		}
	}
}

int main(void)
{
	const size_t room = 16 << 20;
	char *arena = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || mprotect(arena + room, 4096, PROT_NONE) != 0)
		return 2;
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	signal(SIGVTALRM, on_signal);
	for (uint32_t length; fread(&length, sizeof length, 1, stdin) == 1;) {
		if (length > room)
			return 2;
		char *blob = arena + room - ((length + 7) & ~7u);
		if (fread(blob, 1, length, stdin) != length)
			return 2;
		struct itimerval limit = { .it_value = { .tv_usec = 200000 } }, off = { 0 };
		int32_t answer = sigsetjmp(escape, 1);
		hash = 2166136261u;
		if (answer == 0) {
			setitimer(ITIMER_VIRTUAL, &limit, NULL);
			answer = fdt_check_full(blob, length);
			if (answer == 0)
				traverse(blob);
		}
		setitimer(ITIMER_VIRTUAL, &off, NULL);
		fwrite(&answer, sizeof answer, 1, stdout);
		fwrite(&hash, sizeof hash, 1, stdout);
	}
	return 0;
}
