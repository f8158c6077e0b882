// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { Issue } from '../bytes/issue.js';
import { quoteName } from '../bytes/printable.js';
import { FDT_BAD } from './cursor.js';
import type { FdtIssue } from './error.js';
import { type Fdt, openFdt } from './fdt.js';
import { headerSize } from './header.js';
import { childPath } from './node-columns.js';
import { RESERVATION_SIZE } from './reservation.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/** What libfdt accepts but the Devicetree Specification forbids or no writer intends. */
export type FdtWarningCode =
  | 'BLOCKS_OVERLAP'
  | 'BLOCK_MISALIGNED'
  | 'NO_ROOT'
  | 'PROPERTY_OUTSIDE_NODE'
  | 'PROPERTY_AFTER_CHILD'
  | 'DUPLICATE_PROPERTY'
  | 'DUPLICATE_NODE'
  | 'BAD_NAME'
  | 'NONZERO_PADDING';

/** What {@link checkFdt} found. */
export interface FdtVerdict {
  /** True when libfdt's `fdt_check_full` accepts the blob. */
  readonly accepted: boolean;
  /** Every reason to reject it, in the order of the blob. */
  readonly errors: readonly FdtIssue[];
  /** What is accepted all the same, but is not as the specification wants it. */
  readonly warnings: readonly Issue<FdtWarningCode>[];
}

// Devicetree Specification v0.4, tables 2.1 and 2.2; section 2.2.1 for the unit address.
const NODE_NAME = /^[0-9A-Za-z,._+-]+(@[0-9A-Za-z,._+-]+)?$/;
const PROPERTY_NAME = /^[0-9A-Za-z,._+?#-]+$/;

/**
 * Judges a blob: the verdict is that of `fdt_check_full` (libfdt 1.6.1; known differences are listed in
 * docs/libfdt-differences.md), but all violations are listed and not only the first.
 *
 * @param bytes - the blob; bytes after its `totalsize` are ignored
 * @param limit - how many errors and how many warnings to keep
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { checkFdt, formatIssue } from 'kho-toolkit/fdt';
 *
 * const torn = readFileSync('fixtures/kernel-7.3.4/kho-fdt.dtb').subarray(0, 200);
 * for (const issue of checkFdt(torn).errors) console.log(formatIssue(issue));
 * ```
 */
export function checkFdt(bytes: Uint8Array, limit = 1000): FdtVerdict {
  const fdt = openFdt(bytes, { tolerant: true, maxIssues: limit });
  const warnings: Issue<FdtWarningCode>[] = [];
  const warn = (warning: Issue<FdtWarningCode>): void => {
    if (warnings.length < limit) warnings.push(warning);
  };
  if (bytes.length >= headerSize(fdt.header.version)) checkBlocks(fdt, warn);
  checkStructure(fdt, warn);
  return { accepted: fdt.issues.length === 0, errors: fdt.issues, warnings };
}

type Warn = (warning: Issue<FdtWarningCode>) => void;

function checkBlocks(fdt: Fdt, warn: Warn): void {
  const { header, bounds } = fdt;
  const reservationsEnd = header.off_mem_rsvmap + RESERVATION_SIZE * (fdt.reservations.length + 1);
  const blocks = [
    {
      name: 'memory reservation block',
      at: 16,
      start: header.off_mem_rsvmap,
      end: reservationsEnd,
      align: 8,
    },
    { name: 'structure block', at: 8, start: bounds.start, end: bounds.end, align: 4 },
    {
      name: 'strings block',
      at: 12,
      start: bounds.strings,
      end: bounds.strings + header.size_dt_strings,
      align: 1,
    },
  ];
  for (const { name, at, start, align } of blocks) {
    if (start % align === 0) continue;
    const message = `${name} at ${formatHex(start)} is not aligned to ${align} bytes`;
    warn({ code: 'BLOCK_MISALIGNED', offset: at, message });
  }
  // Before version 17 the header does not say where the structure block ends.
  const known = blocks
    .filter((block) => header.version >= 17 || block.at !== 8)
    .sort((a, b) => a.start - b.start);
  known.forEach((block, index) => {
    const before = known[index - 1];
    if (before === undefined || before.end <= block.start || block.end === block.start) return;
    const message = `${before.name} [${formatHex(before.start)}, ${formatHex(before.end)}) runs into the ${block.name}`;
    warn({ code: 'BLOCKS_OVERLAP', offset: block.start, message });
  });
}

/** What is remembered of an open node; one a depth, used again for the next node there. */
interface OpenNode {
  path: string;
  hasChild: boolean;
  readonly properties: Set<string>;
  readonly children: Set<string>;
}

function checkStructure(fdt: Fdt, warn: Warn): void {
  const { bytes, bounds } = fdt;
  const levels: OpenNode[] = [];
  let depth = 0;
  const cursor = fdt.cursor();

  const checkPadding = (from: number, path: string | undefined): void => {
    for (let at = from; at < Math.min(cursor.nextOffset, bounds.end); at++) {
      if (bytes[at] === 0) continue;
      const message = `expected padding of zeros, found ${formatHex(bytes[at] ?? 0)}`;
      warn({ code: 'NONZERO_PADDING', offset: at, path, message });
      return;
    }
  };

  const beginNode = (): void => {
    const { offset } = cursor;
    const parent = levels[depth - 1];
    const name = cursor.nodeName();
    const path = parent === undefined ? '/' : childPath(parent.path, name, depth);
    if (parent !== undefined) {
      parent.hasChild = true;
      if (!NODE_NAME.test(name)) warn({ code: 'BAD_NAME', offset, path, message: badName('node', name) });
      if (parent.children.has(name)) {
        const message = `the parent already has a child "${quoteName(name)}"`;
        warn({ code: 'DUPLICATE_NODE', offset, path, message });
      }
      parent.children.add(name);
    }
    const level = levels[depth];
    if (level === undefined) {
      levels.push({ path, hasChild: false, properties: new Set(), children: new Set() });
    } else {
      level.path = path;
      level.hasChild = false;
      if (level.properties.size > 0) level.properties.clear();
      if (level.children.size > 0) level.children.clear();
    }
    depth++;
    checkPadding(cursor.nameEnd + 1, path);
  };

  const property = (): void => {
    const { offset } = cursor;
    const node = levels[depth - 1];
    const path = node?.path;
    const name = cursor.propertyName();
    if (name === undefined) return; // an error, reported as such
    if (node === undefined) {
      const message = `property "${quoteName(name)}" lies outside of every node`;
      warn({ code: 'PROPERTY_OUTSIDE_NODE', offset, message });
    } else {
      if (node.hasChild) {
        const message = `property "${quoteName(name)}" follows a child node: libfdt does not find it`;
        warn({ code: 'PROPERTY_AFTER_CHILD', offset, path, message });
      }
      if (node.properties.has(name)) {
        const message = `the node already has a property "${quoteName(name)}"`;
        warn({ code: 'DUPLICATE_PROPERTY', offset, path, message });
      }
      node.properties.add(name);
    }
    if (!PROPERTY_NAME.test(name))
      warn({ code: 'BAD_NAME', offset, path, message: badName('property', name) });
    checkPadding(cursor.valueStart + cursor.valueLength, path);
  };

  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (tag === FDT_BEGIN_NODE) beginNode();
    else if (tag === FDT_PROP) property();
    else if (tag === FDT_END_NODE) depth = Math.max(0, depth - 1);
    else if (tag === FDT_BAD && !cursor.resync()) break;
  }
  if (levels.length === 0)
    warn({ code: 'NO_ROOT', offset: bounds.start, message: 'the structure block holds no node' });
}

function badName(what: string, name: string): string {
  return `${what} name "${quoteName(name)}" has characters outside the Devicetree Specification`;
}
