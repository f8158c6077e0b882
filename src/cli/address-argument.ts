// SPDX-License-Identifier: Apache-2.0
import { UsageError } from './failure.js';

const SUFFIXES: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
};

/**
 * An address or length as people type it: `0x4b7000`, `4096`, `2G` (binary suffixes K, M, G, T).
 *
 * @param option - what it was given for, for the error
 * @throws UsageError
 */
export function parseAddress(text: string, option: string): bigint {
  const [, digits = '', suffix = ''] = /^(0x[0-9a-f]+|[0-9]+)([kmgt]?)$/i.exec(text) ?? [];
  const factor = SUFFIXES[suffix.toLowerCase()];
  if (digits === '' || factor === undefined)
    throw new UsageError(`${option}: expected an address or size such as 0x4b7000 or 2G, found "${text}"`);
  return BigInt(digits) * factor;
}

/**
 * A range as `START:LENGTH`, or `START` alone where a length of its own makes sense.
 *
 * @throws UsageError
 */
export function parseSpan(
  text: string,
  option: string,
  defaultLength?: bigint,
): { start: bigint; length: bigint } {
  const [start = '', length, ...rest] = text.split(':');
  if (rest.length > 0 || (length === undefined && defaultLength === undefined))
    throw new UsageError(`${option}: expected START:LENGTH, found "${text}"`);
  return {
    start: parseAddress(start, option),
    length: length === undefined ? (defaultLength ?? 0n) : parseAddress(length, option),
  };
}
