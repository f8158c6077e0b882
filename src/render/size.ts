// SPDX-License-Identifier: Apache-2.0

import { formatHex } from '../bytes/hex.js';

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** A count with its noun: `1 byte`, `2 bytes`. Regular plurals only. */
export function count(value: number | bigint, noun: string): string {
  return `${value} ${noun}${Number(value) === 1 ? '' : 's'}`;
}

/** A size as people say it: `73 bytes`, `4 KiB`, `5.25 MiB`; `~` when rounded to two places. */
export function formatSize(bytes: number | bigint): string {
  const value = BigInt(bytes);
  if (value < 1024n) return count(value, 'byte');
  let unit = 1024n;
  let index = 0;
  while (value >= unit * 1024n && index < UNITS.length - 1) {
    unit *= 1024n;
    index++;
  }
  const hundredths = (value * 100n) / unit;
  const exact = hundredths * unit === value * 100n;
  const fraction = (hundredths % 100n).toString().padStart(2, '0').replace(/0+$/, '');
  const whole = hundredths / 100n;
  return `${exact ? '' : '~'}${whole}${fraction === '' ? '' : `.${fraction}`} ${UNITS[index]}`;
}

/** A physical range with its size, `0x18c00000 - 0x1ebfffff (96 MiB)`, bounds included; addresses padded to `width`. */
export function formatRange(address: bigint, size: bigint, width = 0): string {
  const from = formatHex(address).padStart(width);
  if (size === 0n) return `${from} (empty)`;
  return `${from} - ${formatHex(address + size - 1n).padStart(width)} (${formatSize(size)})`;
}
