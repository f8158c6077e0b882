// SPDX-License-Identifier: Apache-2.0
// The handover that was captured, as a description; and what handovers are compared by, addresses apart.
import { openFdt } from '../../src/fdt/index.js';
import type { PatternContents } from '../../src/kho/contents.js';
import type { FileDescription, HandoverDescription } from '../../src/kho/handover-description.js';
import { khoRadixLeaf, khoRadixNode } from '../../src/schemas/abi/preserved-map.js';
import { registryLookup } from '../../src/schemas/identify.js';
import type { SchemaIssue } from '../../src/schemas/lang/error.js';
import { type FollowStart, follow } from '../../src/schemas/lang/follow.js';
import { isRecord } from '../../src/schemas/lang/input.js';
import type { Memory, Reached } from '../../src/schemas/lang/memory.js';
import type { Layout, MemoryType, NodeType } from '../../src/schemas/lang/type.js';
import { type Oracle, readOracle } from '../schemas/captured.js';

/** How the guest filled its files; the README of the capture tells, seeds are those of its init program. */
const PATTERNS: Readonly<Record<string, PatternContents>> = {
  '0x1': { pattern: 1001 },
  '0x2': { pattern: 1002 },
  '0x10': { pattern: 1004 },
  '0x11': { pattern: 1005, words: 8 },
};

/** What was captured, described: names, tokens, sizes, seals, positions, orders and patterns, but no address. */
export function describeCapture(oracle: Oracle = readOracle()): HandoverDescription {
  const { luo, memblock, kexec_metadata } = oracle;
  return {
    kernel: '7.3',
    previousRelease: kexec_metadata.previous_release,
    kexecCount: kexec_metadata.kexec_count,
    // Alignments that the kernel's places have, so that regions are split into the same blocks.
    reserveMem: memblock.regions.map(({ name, size }) => ({
      name,
      size: Number(size),
      align: Number(size) % 0x200000 === 0 ? 0x200000 : 0x10000,
    })),
    sessions: luo.sessions.map(({ name, files }) => ({
      name,
      files: files.map(({ token, memfd }, index): FileDescription => {
        const { pos, size, seals, folios } = memfd;
        const pattern = name === 'many-files' ? { pattern: 2000 + index } : PATTERNS[token];
        return {
          token: BigInt(token),
          size,
          seals,
          position: pos,
          // Folios of two file pages in a row: how far apart their places in the file are.
          folioOrder: Math.log2((folios[1]?.[2] ?? 1) - (folios[0]?.[2] ?? 0)),
          ...(pattern !== undefined && name !== LONG_NAME && { contents: pattern }),
        };
      }),
    })),
    objects: [0n, 1n, 2n].map((number) => ({
      name: `liveupdate-test-flb-v${number}`,
      data: 0xfeed_f00d_cafe_bee0n + number,
    })),
  };
}

/** The session that has tokens of its own in the first session's numbers. */
const LONG_NAME = 'a-session-name-that-is-exactly-sixty-three-characters-long-1234';

/** Everything that a root leads to, and what is wrong with it. */
export function followAll(start: FollowStart, memory: Memory): { reached: Reached[]; issues: SchemaIssue[] } {
  const issues: SchemaIssue[] = [];
  const options = { issue: (issue: SchemaIssue): unknown => issues.push(issue) };
  return { reached: [...follow(start, memory, registryLookup(), options)], issues };
}

/** A value with all physical addresses made 0: pointers, and the page frames of folios. */
export function withoutAddresses(layout: Layout, value: unknown): unknown {
  if (layout.kind === 'node') return nodeWithout(layout, value);
  switch (layout.kind) {
    case 'pointer':
      // A pointer to a value that is itself there stays: test objects have numbers of their own.
      return typeof value === 'bigint' && value < 1n << 52n && value !== 0n ? 'address' : value;
    case 'bits':
      return isRecord(value) ? { ...value, pfn: 'frame' } : value;
    case 'array':
      return Array.isArray(value) ? value.map((each: unknown) => withoutAddresses(layout.of, each)) : value;
    case 'gather':
      return withoutAddresses(layout.descriptor, value);
    case 'struct':
      return isRecord(value) ? mapMembers(value, layout.fields) : value;
    default:
      return value;
  }
}

function mapMembers(
  value: Readonly<Record<string, unknown>>,
  types: Readonly<Record<string, MemoryType>>,
): unknown {
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => {
      const type = types[name];
      return [name, type === undefined ? each : withoutAddresses(type, each)];
    }),
  );
}

function nodeWithout(layout: NodeType, value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { each } = layout;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const property = layout.properties[name];
      if (property !== undefined && property.kind !== 'optional')
        return [name, withoutAddresses(property, member)];
      if (each?.key === name && Array.isArray(member))
        return [name, member.map((child: unknown) => nodeWithout(each.node, child))];
      return [name, member];
    }),
  );
}

/** An FDT with the 8 bytes of each of these properties zeroed, in all nodes. */
export function fdtWithout(blob: Uint8Array, properties: readonly string[]): Uint8Array {
  const copy = blob.slice();
  const root = openFdt(copy).root;
  for (const node of root === undefined ? [] : [root, ...root.children()]) {
    for (const name of properties) node.property(name)?.value.fill(0);
  }
  return copy;
}

/** Whether something reached belongs to the map of preserved memory. */
export function isMap({ layout }: Reached): boolean {
  return layout === khoRadixNode || layout === khoRadixLeaf;
}
