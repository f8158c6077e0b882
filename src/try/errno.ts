// SPDX-License-Identifier: Apache-2.0

/** Errors that kernels give where they refuse a part of a handover: include/uapi/asm-generic/errno-base.h, errno.h. */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  5: 'EIO',
  7: 'E2BIG',
  9: 'EBADF',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  22: 'EINVAL',
  24: 'EMFILE',
  25: 'ENOTTY',
  27: 'EFBIG',
  28: 'ENOSPC',
  34: 'ERANGE',
  36: 'ENAMETOOLONG',
  61: 'ENODATA',
  75: 'EOVERFLOW',
  95: 'EOPNOTSUPP',
};

/** `EIO`, or `errno 131`. */
export function errnoName(error: number): string {
  return NAMES[error] ?? `errno ${error}`;
}
