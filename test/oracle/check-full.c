// SPDX-License-Identifier: Apache-2.0
// Reads blobs from stdin (u32 length in host order, bytes), asks libfdt's fdt_check_full about each and writes its
// answer as an i32: 0, a negative FDT_ERR_ number, 1 when libfdt crashed on it, 2 when it did not come back.
// Each blob ends (up to its 8-byte alignment) at an unmapped page, so that reading past it is a crash.
#include <libfdt.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>

static sigjmp_buf escape;

static void on_signal(int number)
{
	siglongjmp(escape, number == SIGVTALRM ? 2 : 1);
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
		if (answer == 0) {
			setitimer(ITIMER_VIRTUAL, &limit, NULL);
			answer = fdt_check_full(blob, length);
		}
		setitimer(ITIMER_VIRTUAL, &off, NULL);
		fwrite(&answer, sizeof answer, 1, stdout);
	}
	return 0;
}
