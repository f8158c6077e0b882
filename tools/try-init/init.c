// SPDX-License-Identifier: Apache-2.0
/*
 * What runs as /init in the guest of `kho try`: it says on the second serial port what the kernel made of a handover.
 *
 * Built without a C library (see build.sh), so that it is small and starts on any x86-64 kernel. /plan, from the same
 * initramfs, says what to ask for, a line each, all numbers in hex:
 *
 *	session NAME		name in hex, two digits a byte
 *	file TOKEN LARGEST	of the session before; read unless it has more bytes than LARGEST
 *	region START SIZE	physical memory to hash
 *
 * The answers are lines of words:
 *
 *	kho-try 1
 *	release R
 *	blob NAME BYTES		a file of debugfs kho/in, in hex
 *	device ERRNO		of opening /dev/liveupdate
 *	session N ERRNO		of LIVEUPDATE_IOCTL_RETRIEVE_SESSION; N counts from 0
 *	file N TOKEN ERRNO	of LIVEUPDATE_SESSION_RETRIEVE_FD; if 0 there follow
 *				SIZE SEALS POSITION ERRNO SHA256, ERRNO that of reading
 *	finish N ERRNO		of LIVEUPDATE_SESSION_FINISH
 *	nameless ERRNO		of retrieving a session without a name
 *	region N ERRNO SHA256
 *	busy			now and then while it hashes
 *	end
 *
 * ERRNO and N are decimal, SIZE, SEALS, POSITION and TOKEN hex. ioctls: include/uapi/linux/liveupdate.h, Linux 7.3.
 */

typedef unsigned char u8;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long u64;
typedef long s64;

/* System calls of x86-64, arch/x86/entry/syscalls/syscall_64.tbl. */
enum {
	NR_READ = 0, NR_WRITE = 1, NR_OPEN = 2, NR_CLOSE = 3, NR_FSTAT = 5, NR_LSEEK = 8, NR_MMAP = 9, NR_IOCTL = 16,
	NR_PREAD = 17, NR_UNAME = 63, NR_FCNTL = 72, NR_MOUNT = 165, NR_REBOOT = 169, NR_GETDENTS64 = 217,
	NR_PAUSE = 34,
};

enum { O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_NOCTTY = 0400, O_DIRECTORY = 0200000 };
enum { SEEK_CUR = 1, F_GET_SEALS = 1034, TCSBRK = 0x5409, ENODATA = 61, EFBIG = 27 };

static s64 call(s64 number, s64 a, s64 b, s64 c, s64 d, s64 e)
{
	register s64 r10 __asm__("r10") = d;
	register s64 r8 __asm__("r8") = e;
	register s64 r9 __asm__("r9") = 0;
	s64 result;

	__asm__ volatile("syscall" : "=a"(result)
		: "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return result;
}

/* The compiler makes calls of these on its own. */
void *memset(void *to, int byte, u64 size)
{
	for (u8 *at = to; size > 0; size--)
		*at++ = (u8)byte;
	return to;
}

void *memcpy(void *to, const void *from, u64 size)
{
	u8 *out = to;

	for (const u8 *in = from; size > 0; size--)
		*out++ = *in++;
	return to;
}

static s32 open_file(const char *path, s32 flags)
{
	return (s32)call(NR_OPEN, (s64)path, flags, 0, 0, 0);
}

static void close_file(s32 fd)
{
	call(NR_CLOSE, fd, 0, 0, 0, 0);
}

static s32 error_of(s64 result)
{
	return result < 0 ? (s32)-result : 0;
}

/* -- The report: a line is collected and written in one go. -- */

static s32 report = -1;
static char line[1024];
static u32 used;

static void flush(void)
{
	for (u32 at = 0; at < used;) {
		s64 written = call(NR_WRITE, report, (s64)(line + at), used - at, 0, 0);

		if (written <= 0)
			break;
		at += (u32)written;
	}
	used = 0;
}

static void put(char character)
{
	if (used == sizeof(line))
		flush();
	line[used++] = character;
}

static void word(const char *text)
{
	if (used > 0)
		put(' ');
	while (*text)
		put(*text++);
}

static void decimal(s64 value)
{
	char digits[24];
	u32 count = 0;

	put(' ');
	if (value < 0) {
		put('-');
		value = -value;
	}
	do {
		digits[count++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (count)
		put(digits[--count]);
}

static void digit(u32 value)
{
	put("0123456789abcdef"[value & 15]);
}

static void hex(u64 value)
{
	s32 shift = 60;

	put(' ');
	while (shift > 0 && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		digit((u32)(value >> shift));
}

static void hex_byte(u8 byte)
{
	digit(byte >> 4);
	digit(byte);
}

static void end_line(void)
{
	put('\n');
	flush();
}

/* -- SHA-256, FIPS 180-4. -- */

struct sha256 {
	u32 state[8];
	u8 block[64];
	u64 length;
};

static const u32 rounds[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))

static void compress(u32 *state, const u8 *block)
{
	u32 w[64];
	u32 a = state[0], b = state[1], c = state[2], d = state[3];
	u32 e = state[4], f = state[5], g = state[6], h = state[7];

	for (u32 i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(((const u32 *)block)[i]);
	for (u32 i = 16; i < 64; i++) {
		u32 s0 = ROTATE(w[i - 15], 7) ^ ROTATE(w[i - 15], 18) ^ (w[i - 15] >> 3);
		u32 s1 = ROTATE(w[i - 2], 17) ^ ROTATE(w[i - 2], 19) ^ (w[i - 2] >> 10);

		w[i] = w[i - 16] + s0 + w[i - 7] + s1;
	}
	for (u32 i = 0; i < 64; i++) {
		u32 s1 = ROTATE(e, 6) ^ ROTATE(e, 11) ^ ROTATE(e, 25);
		u32 t1 = h + s1 + ((e & f) ^ (~e & g)) + rounds[i] + w[i];
		u32 s0 = ROTATE(a, 2) ^ ROTATE(a, 13) ^ ROTATE(a, 22);
		u32 t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));

		h = g; g = f; f = e; e = d + t1;
		d = c; c = b; b = a; a = t1 + t2;
	}
	state[0] += a; state[1] += b; state[2] += c; state[3] += d;
	state[4] += e; state[5] += f; state[6] += g; state[7] += h;
}

static void sha_start(struct sha256 *sha)
{
	static const u32 first[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, first, sizeof(first));
	sha->length = 0;
}

static void sha_add(struct sha256 *sha, const u8 *bytes, u64 size)
{
	while (size > 0) {
		u64 within = sha->length & 63;
		u64 part = 64 - within < size ? 64 - within : size;

		if (part == 64) {
			compress(sha->state, bytes);
		} else {
			memcpy(sha->block + within, bytes, part);
			if (within + part == 64)
				compress(sha->state, sha->block);
		}
		sha->length += part;
		bytes += part;
		size -= part;
	}
}

static void sha_end(struct sha256 *sha)
{
	static const u8 padding[64] = { 0x80 };
	u64 bits = __builtin_bswap64(sha->length * 8);

	sha_add(sha, padding, 1 + ((119 - (sha->length & 63)) & 63));
	sha_add(sha, (const u8 *)&bits, 8);
	put(' ');
	for (u32 i = 0; i < 8; i++)
		for (s32 shift = 24; shift >= 0; shift -= 8)
			hex_byte((u8)(sha->state[i] >> shift));
}

/* Hashes SIZE bytes from START of a file and writes errno and hash. The line so far stays back until then. */
static u8 buffer[1 << 16] __attribute__((aligned(64)));

static void hash_file(s32 fd, u64 start, u64 size)
{
	struct sha256 sha;
	u64 since = 0;
	s32 error = 0;

	sha_start(&sha);
	for (u64 at = 0; at < size;) {
		u64 want = size - at < sizeof(buffer) ? size - at : sizeof(buffer);
		s64 got = call(NR_PREAD, fd, (s64)buffer, (s64)want, (s64)(start + at), 0);

		if (got <= 0) {
			error = got < 0 ? (s32)-got : ENODATA;
			break;
		}
		sha_add(&sha, buffer, (u64)got);
		at += (u64)got;
		since += (u64)got;
		if (since >= 1 << 24) {
			/* A line of its own, so that the host sees progress. */
			call(NR_WRITE, report, (s64)"busy\n", 5, 0, 0);
			since = 0;
		}
	}
	decimal(error);
	sha_end(&sha);
}

/* -- The plan. -- */

static const char *plan;
static u64 plan_size, plan_at;

static void load_plan(void)
{
	u8 stat[144];
	s32 fd = open_file("/plan", O_RDONLY);

	if (fd < 0 || call(NR_FSTAT, fd, (s64)stat, 0, 0, 0) < 0)
		return;
	plan_size = *(u64 *)(stat + 48); /* st_size */
	/* PROT_READ, MAP_PRIVATE; the sixth argument, the offset, is 0. */
	plan = (const char *)call(NR_MMAP, 0, (s64)plan_size, 1, 2, fd);
	if ((s64)plan < 0 && (s64)plan > -4096)
		plan_size = 0;
}

static s32 value_of(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Whether the line begins with a word, which is then passed over. */
static s32 line_is(const char *wanted)
{
	u64 at = plan_at;

	while (*wanted && at < plan_size && plan[at] == *wanted)
		at++, wanted++;
	if (*wanted || at == plan_size || plan[at] != ' ')
		return 0;
	plan_at = at;
	return 1;
}

static u64 number(void)
{
	u64 value = 0;

	if (plan_at < plan_size && plan[plan_at] == ' ')
		plan_at++;
	for (; plan_at < plan_size && value_of(plan[plan_at]) >= 0; plan_at++)
		value = value << 4 | (u64)value_of(plan[plan_at]);
	return value;
}

static void next_line(void)
{
	while (plan_at < plan_size && plan[plan_at++] != '\n')
		;
}

/* -- What is asked. -- */

static void report_blobs(const char *folder)
{
	static char path[512];
	static u8 entries[4096];
	s32 list = open_file(folder, O_RDONLY | O_DIRECTORY);
	s64 got;

	if (list < 0)
		return;
	while ((got = call(NR_GETDENTS64, list, (s64)entries, sizeof(entries), 0, 0)) > 0) {
		/* struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name. */
		for (s64 at = 0; at < got; at += *(unsigned short *)(entries + at + 16)) {
			const char *name = (const char *)entries + at + 19;
			u32 length = 0;
			s64 size;
			s32 fd;

			if (entries[at + 18] != 8) /* DT_REG */
				continue;
			for (const char *from = folder; *from; from++)
				path[length++] = *from;
			path[length++] = '/';
			for (const char *from = name; *from && length < sizeof(path) - 1; from++)
				path[length++] = *from;
			path[length] = 0;
			fd = open_file(path, O_RDONLY);
			if (fd < 0)
				continue;
			size = call(NR_READ, fd, (s64)buffer, 8192, 0, 0);
			close_file(fd);
			word("blob");
			put(' ');
			for (const char *from = name; *from; from++)
				hex_byte((u8)*from);
			put(' ');
			for (s64 byte = 0; byte < size; byte++)
				hex_byte(buffer[byte]);
			end_line();
		}
	}
	close_file(list);
}

struct session_request {
	u32 size;
	s32 fd;
	u8 name[64];
};

struct file_request {
	u32 size;
	s32 fd;
	u64 token;
};

struct finish_request {
	u32 size;
	u32 reserved;
};

enum { RETRIEVE_SESSION = 0xba01, RETRIEVE_FD = 0xba41, FINISH = 0xba42 };

static void report_file(s32 session, s64 index)
{
	struct file_request request = { sizeof(request), -1, number() };
	u64 largest = number();
	s64 error = call(NR_IOCTL, session, RETRIEVE_FD, (s64)&request, 0, 0);
	u8 stat[144];
	u64 size;

	word("file");
	decimal(index);
	hex(request.token);
	decimal(error_of(error));
	if (error >= 0) {
		call(NR_FSTAT, request.fd, (s64)stat, 0, 0, 0);
		size = *(u64 *)(stat + 48);
		hex(size);
		hex((u64)call(NR_FCNTL, request.fd, F_GET_SEALS, 0, 0, 0));
		hex((u64)call(NR_LSEEK, request.fd, 0, SEEK_CUR, 0, 0));
		/* The words so far must not be cut by progress. */
		if (size > largest) {
			decimal(EFBIG);
			word("-");
		} else {
			hash_file(request.fd, 0, size);
		}
		close_file(request.fd);
	}
	end_line();
}

static void report_sessions(s32 device)
{
	s64 index = -1;
	s32 session = -1;
	struct finish_request finish = { sizeof(finish), 0 };

	for (plan_at = 0; plan_at <= plan_size; next_line()) {
		s32 is_session = plan_at < plan_size && line_is("session");

		if ((is_session || plan_at == plan_size) && session >= 0) {
			word("finish");
			decimal(index);
			decimal(error_of(call(NR_IOCTL, session, FINISH, (s64)&finish, 0, 0)));
			end_line();
			close_file(session);
			session = -1;
		}
		if (plan_at == plan_size)
			break;
		if (is_session) {
			struct session_request request;
			s64 error;
			u32 at = 0;

			memset(&request, 0, sizeof(request));
			request.size = sizeof(request);
			plan_at++;
			while (at < 64 && plan_at + 1 < plan_size && value_of(plan[plan_at]) >= 0) {
				request.name[at++] = (u8)(value_of(plan[plan_at]) << 4 | value_of(plan[plan_at + 1]));
				plan_at += 2;
			}
			error = call(NR_IOCTL, device, RETRIEVE_SESSION, (s64)&request, 0, 0);
			session = error < 0 ? -1 : request.fd;
			word("session");
			decimal(++index);
			decimal(error_of(error));
			end_line();
		} else if (session >= 0 && line_is("file")) {
			report_file(session, index);
		}
	}
}

static void report_nameless(s32 device)
{
	struct session_request request;

	memset(&request, 0, sizeof(request));
	request.size = sizeof(request);
	word("nameless");
	decimal(error_of(call(NR_IOCTL, device, RETRIEVE_SESSION, (s64)&request, 0, 0)));
	end_line();
}

static void report_regions(void)
{
	s32 memory = open_file("/dev/mem", O_RDONLY);
	s64 index = 0;

	for (plan_at = 0; plan_at < plan_size; next_line()) {
		u64 start, size;

		if (!line_is("region"))
			continue;
		start = number();
		size = number();
		word("region");
		decimal(index++);
		if (memory < 0) {
			decimal(error_of(memory));
			word("-");
		} else {
			hash_file(memory, start, size);
		}
		end_line();
	}
}

static void mount(const char *type, const char *at)
{
	call(NR_MOUNT, (s64)type, (s64)at, (s64)type, 0, 0);
}

/* Called from _start, below. */
void run(void);

void run(void)
{
	static char names[6 * 65];
	s32 device;

	mount("devtmpfs", "/dev");
	mount("proc", "/proc");
	mount("sysfs", "/sys");
	mount("debugfs", "/sys/kernel/debug");
	report = open_file("/dev/ttyS1", O_WRONLY | O_NOCTTY);
	word("kho-try 1");
	end_line();
	call(NR_UNAME, (s64)names, 0, 0, 0, 0);
	word("release");
	word(names + 2 * 65);
	end_line();
	load_plan();
	report_blobs("/sys/kernel/debug/kho/in");
	report_blobs("/sys/kernel/debug/kho/in/sub_fdts");
	device = open_file("/dev/liveupdate", O_RDWR);
	word("device");
	decimal(error_of(device));
	end_line();
	if (device >= 0) {
		report_sessions(device);
		report_nameless(device);
	}
	report_regions();
	word("end");
	end_line();
	call(NR_IOCTL, report, TCSBRK, 1, 0, 0);
	/* LINUX_REBOOT_CMD_RESTART; the host has told QEMU not to start again. */
	call(NR_REBOOT, (s64)0xfee1dead, 672274793, 0x1234567, 0, 0);
	for (;;)
		call(NR_PAUSE, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start:\txor %ebp, %ebp\n\tand $-16, %rsp\n\tcall run\n\tud2");
