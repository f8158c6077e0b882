// SPDX-License-Identifier: Apache-2.0
import { openFdt } from '../../fdt/fdt.js';
import type { DecodeOptions } from './decode.js';
import { decodeMemory } from './decode-memory.js';
import { issueAt, type Place, SchemaError, type SchemaIssue } from './error.js';
import { checkFields } from './field-rules.js';
import { inputOf } from './input.js';
import { readNode } from './read-node.js';
import { checkVisit } from './rules.js';
import type { Layout, MemoryType, Value } from './type.js';
import { walk } from './walk.js';

/** What {@link check} found. */
export interface Checked<T> {
  /** The decoded value; left out where the bytes cannot be laid out. Of a damaged FDT, what could be read of it. */
  readonly value?: T | undefined;
  /** What is wrong: bytes that cannot be laid out, and every value rule that is broken. */
  readonly issues: readonly SchemaIssue[];
  /** Members of FDT nodes that the layout does not declare: kernels pass over them. */
  readonly unknown: readonly SchemaIssue[];
}

/** How bytes are checked. */
export interface CheckOptions extends DecodeOptions {
  /** How many issues to keep, default 1000. */
  readonly maxIssues?: number;
}

/**
 * Decodes bytes and judges every value rule of the layout. Nothing is thrown for what is wrong with the bytes of a
 * declared structure: all of it is listed, each with its place.
 *
 * @throws FdtError when an FDT blob is not sound as a container
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { check, luoV5 } from 'kho-toolkit/schemas';
 *
 * const bytes = readFileSync('fixtures/demo/out/sub_fdts/LUO');
 * bytes[16] = 1; // no multiple of a page
 * for (const { path, code, message } of check(luoV5, bytes).issues) console.log(path, code, message);
 * ```
 */
export function check<T extends Layout>(
  layout: T,
  bytes: Uint8Array,
  options?: CheckOptions,
): Checked<Value<T>>;
export function check(layout: Layout, bytes: Uint8Array, options: CheckOptions = {}): Checked<unknown> {
  const { byteOrder, base, path, trailing, maxIssues = 1000 } = options;
  const issues: SchemaIssue[] = [];
  const unknown: SchemaIssue[] = [];
  const complain = (issue: SchemaIssue): void => {
    if (issues.length < maxIssues) issues.push(issue);
  };
  if (layout.kind !== 'node') {
    const place = { offset: 0, path: path ?? '', base };
    try {
      const value = decodeMemory(layout, inputOf(bytes, byteOrder), place, trailing);
      checkValue(layout, value, place, bytes.length, complain);
      return { value, issues, unknown };
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      complain(error.issue);
      return { issues, unknown };
    }
  }
  const fdt = openFdt(bytes);
  if (fdt.root === undefined) {
    complain(
      issueAt({ offset: fdt.bounds.start, path: path ?? '/', base }, 'MISSING', 'a root node', 'none'),
    );
    return { issues, unknown };
  }
  const value = readNode(
    layout,
    fdt.root,
    { byteOrder, base, path },
    {
      property: (_, type, found, place, length) => checkValue(type, found, place, length, complain),
      node: ({ rules }, found, place) => checkFields(rules, found, place, complain),
      issue: complain,
      unknown: (issue) => {
        if (unknown.length < maxIssues) unknown.push(issue);
      },
    },
  );
  return { value, issues, unknown };
}

/** Judges the value rules of a decoded value of a type with bytes in memory. */
export function checkValue(
  type: MemoryType,
  value: unknown,
  place: Place,
  length: number,
  complain: (issue: SchemaIssue) => void,
): void {
  walk(type, value, place, length, (item) => checkVisit(item, complain));
}
