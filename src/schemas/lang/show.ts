// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';

/** A value in a few characters, for messages: hostile text is escaped, long things are cut short. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return value < 0n ? `${value}` : formatHex(value);
  if (typeof value === 'number') return `${value}`;
  if (typeof value === 'string')
    return `"${escapeText(value.length > 60 ? `${value.slice(0, 60)}…` : value)}"`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return value === null ? 'null' : `a value of type ${typeof value}`;
}
