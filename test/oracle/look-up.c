// SPDX-License-Identifier: Apache-2.0
// Reads blobs from stdin (u32 length in host order, bytes) and looks up in each, as a kernel does in the root of a handover,
// what it has of kexec-metadata, LUO and memblock. Writes 20 i32 a blob: whether fdt_check_header() takes it; length and sum
// of the bytes of two properties of the root; of each node its offset in the structure block, and the same of its two
// properties. What is not found is -1 and 0. All are 1 when libfdt crashed on the blob.
#include <libfdt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static sigjmp_buf escape;

static void on_signal(int number)
{
	(void)number;
	siglongjmp(escape, 1);
}

static int32_t *property(int32_t *out, const void *blob, int node, const char *name)
{
	int length;
	const unsigned char *value = node < 0 ? NULL : fdt_getprop(blob, node, name, &length);
	int32_t sum = 0;

	for (int at = 0; value != NULL && at < length; at++)
		sum += value[at];
	*out++ = value == NULL ? -1 : length;
	*out++ = sum;
	return out;
}

int main(void)
{
	static const char *const nodes[] = { "kexec-metadata", "LUO", "memblock" };
	const size_t room = 1 << 20;
	char *arena = mmap(NULL, room + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || mprotect(arena + room, 4096, PROT_NONE) != 0)
		return 2;
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	for (uint32_t length; fread(&length, sizeof length, 1, stdin) == 1;) {
		int32_t answer[20] = { 0 };
		if (length > room)
			return 2;
		char *blob = arena + room - ((length + 7) & ~7u);
		if (fread(blob, 1, length, stdin) != length)
			return 2;
		if (sigsetjmp(escape, 1) != 0) {
			for (int at = 0; at < 20; at++)
				answer[at] = 1;
		} else {
			int32_t *out = answer;
			*out++ = fdt_check_header(blob) == 0;
			out = property(out, blob, 0, "compatible");
			out = property(out, blob, 0, "preserved-memory-map");
			for (int index = 0; index < 3; index++) {
				int node = fdt_subnode_offset(blob, 0, nodes[index]);
				*out++ = node < 0 ? -1 : node;
				out = property(out, blob, node, "preserved-data");
				out = property(out, blob, node, "blob-size");
			}
		}
		fwrite(answer, sizeof answer[0], 20, stdout);
	}
	return 0;
}
