// SPDX-License-Identifier: Apache-2.0
// Page tables as rows: the entries of each page that are present, those of the next level below.
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { fieldsText } from '../render/vtd-path-text.js';
import { type BitRecord, decodeBits } from '../vtd/bit-record.js';
import type { FieldValue } from '../vtd/device-path.js';
import { pagingFormat, type Stage } from '../vtd/paging-format.js';
import type { Field, ShownObject } from './shown-object.js';
import type { TextRun } from './text-run.js';
import { once, type TreeNode } from './tree-node.js';

const ENTRIES = 512;
const ENTRY = 8;
/** Bit of entries above level 1 that makes them leaves. */
const PAGE_SIZE_BIT = 0x80n;

/** A page of page tables and what it is for. */
export interface TablePlace {
  readonly stage: Stage;
  /** 1 for the lowest tables. */
  readonly level: number;
  readonly address: bigint;
  /** First address that it translates. */
  readonly input: bigint;
  /** Physical address of the entry that leads here. */
  readonly from: bigint | undefined;
}

interface Entry {
  readonly index: number;
  readonly word: bigint;
  readonly record: BitRecord;
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Address of the next table; `undefined` for leaves. */
  readonly next: bigint | undefined;
}

/**
 * The page as an object; `undefined` where the image does not hold it.
 *
 * @param add - keeps the object, so that it is found by its address from now on
 */
export function tableObject(
  memory: PhysicalMemory,
  place: TablePlace,
  add: (object: ShownObject) => ShownObject,
): ShownObject | undefined {
  const { stage, level, address, from } = place;
  if (address >> 52n !== 0n) return undefined;
  const bytes = memory.page(Number(address >> 12n));
  if (typeof bytes === 'string') return undefined;
  return add({
    key: `table ${stage} ${level} ${address}`,
    path: `${stage}-stage level ${level} table`,
    what: 'page table',
    bytes,
    address,
    from,
    fields: once(() => entriesOf(bytes, stage, level).map(fieldOf)),
  });
}

function entriesOf(bytes: Uint8Array, stage: Stage, level: number): Entry[] {
  const format = pagingFormat(stage);
  const own = format.levels.find((each) => each.level === level);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Entry[] = [];
  for (let index = 0; index < ENTRIES; index++) {
    const word = view.getBigUint64(index * ENTRY, true);
    if ((word & BigInt(format.present)) === 0n) continue;
    const isLeaf = own?.table === undefined || (own.leaf !== undefined && (word & PAGE_SIZE_BIT) !== 0n);
    const record = isLeaf ? own?.leaf : own.table;
    if (record === undefined) continue;
    const fields = decodeBits(record, bytes.subarray(index * ENTRY, (index + 1) * ENTRY));
    const lead = fields['ADDR'];
    entries.push({
      index,
      word,
      record,
      fields,
      next: !isLeaf && typeof lead === 'bigint' ? lead : undefined,
    });
  }
  return entries;
}

function entryText({ record, fields }: Pick<Entry, 'record' | 'fields'>): TextRun[] {
  return [{ role: 'number', text: fieldsText(record, fields) }];
}

function fieldOf({ index, record, fields, next }: Entry): Field {
  return {
    offset: index * ENTRY,
    length: ENTRY,
    path: `[${index}]`,
    kind: next === undefined ? 'number' : 'pointer',
    type: record.name,
    value: () => entryText({ record, fields }),
  };
}

/** The rows of a page's entries. */
export function tableRows(
  memory: PhysicalMemory,
  object: ShownObject,
  { stage, level, address, input }: TablePlace,
  add: (object: ShownObject) => ShownObject,
): readonly TreeNode[] {
  return entriesOf(object.bytes, stage, level).map((entry): TreeNode => {
    const { index, next } = entry;
    const first = input + (BigInt(index) << BigInt(12 + 9 * (level - 1)));
    const offset = index * ENTRY;
    const below = once((): readonly TreeNode[] => {
      if (next === undefined) return [];
      const place = { stage, level: level - 1, address: next, input: first, from: address + BigInt(offset) };
      const table = tableObject(memory, place, add);
      return table === undefined ? [NOT_THERE] : tableRows(memory, table, place, add);
    });
    return {
      label: `[${index}]`,
      role: 'property',
      value: () => [
        { role: 'note', text: `${formatHex(first)}  ` },
        ...entryText(entry),
        ...(next === undefined ? [] : [{ role: 'note', text: ` → level ${level - 1} table` } as const]),
      ],
      place: { object, offset, length: ENTRY },
      pointer: next,
      isBranch: next !== undefined,
      children: below,
    };
  });
}

const NOT_THERE: TreeNode = {
  label: 'not in the image',
  role: 'group',
  value: () => [],
  place: undefined,
  isBranch: false,
  children: () => [],
};
