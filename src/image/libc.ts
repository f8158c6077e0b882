// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { platform } from 'node:process';

/** The few calls of the C library that Node lacks. */
export interface Libc {
  /**
   * Maps `length` bytes of `fd` from `offset` (a multiple of the page size), shared and read-only, advised
   * MADV_RANDOM. The mapping is never undone.
   *
   * @returns the mapped bytes, or why there are none
   */
  map(fd: number, offset: number, length: number): ArrayBuffer | string;
  /**
   * Where data or the next hole of a sparse file starts, at or after `offset` (lseek(2), SEEK_DATA and SEEK_HOLE).
   *
   * @returns undefined when there is none before the end of the file, or the file system cannot tell
   */
  seek(fd: number, offset: number, what: 'data' | 'hole'): number | undefined;
  /**
   * Asks the kernel whether anybody has the file of `fd` open for writing, by taking a read lease and giving it back
   * at once: a lease is only granted on files nobody writes to (fcntl(2), F_SETLEASE).
   *
   * @returns `unknown` when the file belongs to somebody else, or the file system has no leases
   */
  writers(fd: number): 'none' | 'some' | 'unknown';
}

// <bits/mman-linux.h>, <bits/fcntl-linux.h>, <bits/signum-arch.h>: the same on all Linux architectures Node runs on.
const PROT_READ = 1;
const MAP_SHARED = 1;
const MADV_RANDOM = 1;
const F_SETSIG = 10;
const F_SETLEASE = 1024;
const F_RDLCK = 0;
const F_UNLCK = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const SIGURG = 23;
const EAGAIN = 11;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

function bind(): Libc {
  const koffi: typeof import('koffi') = createRequire(join(import.meta.dirname, 'libc.js'))('koffi');
  const libc = koffi.load('libc.so.6');
  const mmap = libc.func(
    'void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)',
  );
  const madvise = libc.func('int madvise(void *addr, size_t length, int advice)');
  const lseek = libc.func('int64_t lseek(int fd, int64_t offset, int whence)');
  const fcntl = libc.func('int fcntl(int fd, int command, ...)');
  return {
    map(fd, offset, length) {
      const address: bigint = mmap(null, length, PROT_READ, MAP_SHARED, fd, offset);
      if (koffi.address(address) === MAP_FAILED) return `mmap failed with errno ${koffi.errno()}`;
      madvise(address, length, MADV_RANDOM);
      return koffi.view(address, length);
    },
    seek(fd, offset, what) {
      const found: number | bigint = lseek(fd, offset, what === 'data' ? SEEK_DATA : SEEK_HOLE);
      return found < 0 ? undefined : Number(found);
    },
    writers(fd) {
      // A writer that comes in the instant the lease is held makes the kernel send a signal: SIGURG is ignored,
      // the default SIGIO would end the process.
      if (fcntl(fd, F_SETSIG, 'int', SIGURG) !== 0) return 'unknown';
      if (fcntl(fd, F_SETLEASE, 'int', F_RDLCK) !== 0) return koffi.errno() === EAGAIN ? 'some' : 'unknown';
      fcntl(fd, F_SETLEASE, 'int', F_UNLCK);
      return 'none';
    },
  };
}

let loaded: Libc | string | undefined;

/**
 * The C library through koffi, an optional dependency that is loaded on first use only.
 *
 * @returns the calls, or why there are none on this machine
 */
export function loadLibc(): Libc | string {
  if (loaded !== undefined) return loaded;
  if (platform !== 'linux') {
    loaded = `files are mapped on Linux only, this is ${platform}`;
    return loaded;
  }
  try {
    loaded = bind();
  } catch (error) {
    loaded = `the optional package koffi cannot be loaded: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : error}`;
  }
  return loaded;
}
