// SPDX-License-Identifier: Apache-2.0
// Members of a line of a log, read one by one: what is missing, of another type or left over is refused with its line.
import { quoteName } from '../../bytes/printable.js';
import { isRecord } from '../../schemas/lang/input.js';
import { type AddressRange, logError } from './log.js';

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const HEX = /^0x[0-9a-f]{1,16}$/i;

/** The members of one JSON object. */
export class Members {
  readonly #left: Map<string, unknown>;
  readonly #place: string;

  /**
   * @param place - `line 3`
   * @throws LogError BAD_LINE for what is no object
   */
  constructor(value: unknown, place: string) {
    if (!isRecord(value)) throw logError('BAD_LINE', place, 'expected an object');
    this.#left = new Map(Object.entries(value));
    this.#place = place;
  }

  /** Whether there is a member that was not taken yet. */
  has(name: string): boolean {
    return this.#left.has(name);
  }

  /** The member's value, `undefined` where it is not there. */
  take(name: string): unknown {
    const value = this.#left.get(name);
    this.#left.delete(name);
    return value;
  }

  /** @returns an error for this line */
  wrong(name: string, expected: string): Error {
    return logError('BAD_RECORD', this.#place, `${quoteName(name)}: expected ${expected}`);
  }

  /** A text. */
  text(name: string): string {
    const value = this.take(name);
    if (typeof value !== 'string') throw this.wrong(name, 'text');
    return value;
  }

  /** A text that may be missing. */
  maybeText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** A whole number from 0 to `max`. */
  number(name: string, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.take(name);
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= max) return value;
    throw this.wrong(name, `a whole number up to ${max}`);
  }

  /** Yes or no. */
  maybeFlag(name: string): boolean | undefined {
    const value = this.take(name);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.wrong(name, 'true or false');
  }

  /** A list. */
  list(name: string): readonly unknown[] {
    const value = this.take(name);
    if (!Array.isArray(value)) throw this.wrong(name, 'a list');
    return value;
  }

  /** A u64: hex digits in a string, or a whole number. */
  u64(name: string): bigint {
    return this.u64Of(name, this.take(name));
  }

  /** The same for a value inside a member. */
  u64Of(name: string, value: unknown): bigint {
    if (typeof value === 'string' && HEX.test(value)) return BigInt(value);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
    throw this.wrong(name, `a number up to 0x${MAX_U64.toString(16)}, above 2^53 as "0x…"`);
  }

  /** A list of ranges, `[["0x0", "0xfff"]]`. */
  ranges(name: string): readonly AddressRange[] {
    return this.list(name).map((range) => {
      if (!Array.isArray(range) || range.length !== 2) throw this.wrong(name, 'pairs of first and last');
      const [start, last]: readonly unknown[] = range;
      return { start: this.u64Of(name, start), last: this.u64Of(name, last) };
    });
  }

  /** Bytes as hex digits; `undefined` where the member is missing. */
  maybeBytes(name: string): Uint8Array | undefined {
    if (!this.has(name)) return undefined;
    const text = this.text(name);
    if (!/^(?:[0-9a-f]{2})*$/i.test(text)) throw this.wrong(name, 'bytes as hex digits');
    const bytes = new Uint8Array(text.length / 2);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
    return bytes;
  }

  /** Refuses what is left over. */
  end(): void {
    const [name] = this.#left.keys();
    if (name !== undefined) throw logError('BAD_RECORD', this.#place, `unknown member ${quoteName(name)}`);
  }
}
