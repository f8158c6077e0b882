// SPDX-License-Identifier: Apache-2.0

/** Error numbers that iommufd and VFIO return, by name: include/uapi/asm-generic/errno-base.h and errno.h. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  E2BIG: 7,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ENOSPC: 28,
  ERANGE: 34,
  EOVERFLOW: 75,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  EADDRINUSE: 98,
  ETIMEDOUT: 110,
} as const;

/** A name of {@link ERRNO}. */
export type ErrnoName = keyof typeof ERRNO;

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(ERRNO).map(([name, number]) => [number, name]),
);
const NUMBERS: ReadonlyMap<string, number> = new Map([...Object.entries(ERRNO), ['ENOTSUPP', 95]]);

/** Largest error number that a system call returns. */
const MAX_ERRNO = 4095;

/** The name of an error number, or `errno N`; `0` for success. */
export function errnoName(errno: number): string {
  return errno === 0 ? '0' : (NAMES.get(errno) ?? `errno ${errno}`);
}

/** The error number of a name, or of the text that {@link errnoName} gives; `undefined` where it is neither. */
export function errnoNumber(name: string): number | undefined {
  const text = /^(?:errno )?(\d{1,4})$/.exec(name)?.[1];
  const number = text === undefined ? NUMBERS.get(name) : Number(text);
  return number !== undefined && number <= MAX_ERRNO ? number : undefined;
}
