// SPDX-License-Identifier: Apache-2.0
// Reading parsed JSON member by member, so that what is wrong is told with its path.
import { quoteName } from '../bytes/printable.js';
import { isRecord } from '../schemas/lang/input.js';
import { badDescription } from './build-error.js';

const UNITS: Readonly<Record<string, bigint>> = { K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };

function show(json: unknown): string {
  if (json === undefined) return 'nothing';
  return quoteName(JSON.stringify(json) ?? typeof json);
}

/** A value of parsed JSON with its path. */
export class JsonReader {
  readonly json: unknown;
  readonly path: string;

  constructor(json: unknown, path = '') {
    this.json = json;
    this.path = path;
  }

  /** Whether there is a value. */
  get isThere(): boolean {
    return this.json !== undefined;
  }

  /** @throws BuildError BAD_DESCRIPTION saying that the value is not what is expected */
  fail(expected: string): never {
    throw badDescription(this.path, expected, show(this.json));
  }

  /**
   * The members of an object, to be asked for by name.
   *
   * @param names - of all that it may have
   * @throws BuildError BAD_DESCRIPTION when it is no object, or has others
   */
  members(...names: readonly string[]): (name: string) => JsonReader {
    const { json } = this;
    if (!isRecord(json)) this.fail('an object');
    for (const name of Object.keys(json)) {
      if (!names.includes(name))
        throw badDescription(`${this.path}.${quoteName(name)}`, `one of ${names.join(', ')}`, 'this member');
    }
    return (name) =>
      new JsonReader(Object.hasOwn(json, name) ? json[name] : undefined, `${this.path}.${name}`);
  }

  /** What `read` makes of the value, `undefined` when there is none. */
  optional<T>(read: (reader: JsonReader) => T): T | undefined {
    return this.isThere ? read(this) : undefined;
  }

  /** What `read` makes of each element. @throws BuildError BAD_DESCRIPTION when it is no array */
  list<T>(read: (reader: JsonReader) => T): T[] {
    const { json } = this;
    if (!Array.isArray(json)) this.fail('an array');
    return json.map((each: unknown, index) => read(new JsonReader(each, `${this.path}[${index}]`)));
  }

  /** @throws BuildError BAD_DESCRIPTION when it is no text */
  text(): string {
    return typeof this.json === 'string' ? this.json : this.fail('text');
  }

  /** @throws BuildError BAD_DESCRIPTION when it is neither true nor false */
  boolean(): boolean {
    return typeof this.json === 'boolean' ? this.json : this.fail('true or false');
  }

  /**
   * A whole number from 0 on: a number, or text as `"0x1000"` or `"64K"` (K, M, G, T: powers of 1024).
   *
   * @throws BuildError BAD_DESCRIPTION
   */
  big(max: bigint = (1n << 64n) - 1n): bigint {
    const value = wholeNumber(this.json);
    const what = `a whole number up to ${max}, or text as "0x1000" or "64K"`;
    return value === undefined || value > max ? this.fail(what) : value;
  }

  /** The same as number. @throws BuildError BAD_DESCRIPTION */
  number(max: number = Number.MAX_SAFE_INTEGER): number {
    return Number(this.big(BigInt(max)));
  }
}

function wholeNumber(json: unknown): bigint | undefined {
  if (typeof json === 'number') return Number.isSafeInteger(json) && json >= 0 ? BigInt(json) : undefined;
  if (typeof json !== 'string') return undefined;
  const match = /^(0x[0-9a-f]{1,16}|[0-9]{1,20})([KMGT]?)$/i.exec(json);
  const [, digits = '', unit = ''] = match ?? [];
  return match === null ? undefined : BigInt(digits) * (UNITS[unit.toUpperCase()] ?? 1n);
}
