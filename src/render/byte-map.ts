// SPDX-License-Identifier: Apache-2.0
// A declared layout as runs of fields with their places, to be drawn to scale.
import { formatHex } from '../bytes/hex.js';
import { cTypeName } from '../schemas/lang/c-type.js';
import { targetText } from '../schemas/lang/describe.js';
import { requiredType } from '../schemas/lang/read-node.js';
import { ruleTexts } from '../schemas/lang/rule-text.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { ArrayType, Layout, MemoryType, NodeType, StructType } from '../schemas/lang/type.js';
import type { NamedLayout } from './named-layouts.js';
import { formatSize } from './size.js';

/** What a field is, which decides its colour. */
export type MapKind = 'number' | 'pointer' | 'text' | 'bytes' | 'unused';

/** A field of a {@link MapRun}: the fields of a run lie one after the other. */
export interface MapField {
  readonly name: string;
  readonly kind: MapKind;
  /** As C would name it. */
  readonly type: string;
  /** Offset in bytes from the start of the run; left out behind a field of unknown size. */
  readonly offset: number | undefined;
  /** In bytes; left out where it depends on a count. */
  readonly length: number | undefined;
  /** What it means and the rules for its value, in words. */
  readonly about: string;
  /** Bit fields, lowest first. */
  readonly parts?: readonly { readonly name: string; readonly width: number; readonly about: string }[];
}

/** A stretch of bytes: a whole struct, or the value of a property. */
export interface MapRun {
  readonly fields: readonly MapField[];
}

/** A struct, an array, a case of a union or a node. */
export interface MapBlock {
  readonly kind: 'struct' | 'node';
  readonly title: string;
  readonly about: string;
  readonly runs: readonly MapRun[];
}

/** Elements of an array of scalars that are shown, where there are more. */
const SHOWN_ELEMENTS = 2;
/** An array of scalars of at most this many bytes is shown whole. */
const WHOLE_ARRAY = 32;

/** The blocks of a version: those of its layout, and those that its pointers lead to. */
export function mapBlocks(layouts: readonly NamedLayout[]): readonly MapBlock[] {
  return layouts.flatMap(({ layout }) => blocksOf(layout));
}

function blocksOf(layout: Layout): MapBlock[] {
  if (layout.kind === 'node') return nodeBlocks(layout, '/');
  const cases: MapBlock[] = [];
  const fields = fieldsOf(layout, cases, '');
  const size = sizeOf(layout);
  const title = layout.kind === 'array' ? `array of ${cTypeName(layout.of)}` : cTypeName(layout);
  const shown = size === undefined ? title : `${title}, ${formatSize(size)}`;
  return [{ kind: 'struct', title: shown, about: layout.doc ?? '', runs: [{ fields }] }, ...cases];
}

function nodeBlocks(layout: NodeType, path: string): MapBlock[] {
  const below = path === '/' ? '/' : `${path}/`;
  const cases: MapBlock[] = [];
  const runs = Object.entries(layout.properties).map(([name, member]) => {
    const type = requiredType(member);
    const [first, ...rest] = fieldsOf(type, cases, name, constantLength(type));
    if (first === undefined || member.kind !== 'optional')
      return { fields: first === undefined ? [] : [first, ...rest] };
    return { fields: [{ ...first, type: `${first.type}, may be missing` }, ...rest] };
  });
  const inner = Object.entries(layout.children).flatMap(([name, member]) =>
    nodeBlocks(requiredType(member), below + name),
  );
  const { each } = layout;
  const patterned = each === undefined ? [] : nodeBlocks(each.node, `${below}<${each.key}>`);
  return [
    { kind: 'node', title: `node ${path}`, about: layout.doc ?? '', runs },
    ...cases,
    ...inner,
    ...patterned,
  ];
}

/** Bytes of a `compatible` that is one string. */
function constantLength(type: MemoryType): number | undefined {
  return type.kind === 'text' && type.includes !== undefined ? type.includes.length + 1 : undefined;
}

/** @param length - in bytes, of what has no size of its own */
function fieldsOf(type: MemoryType, cases: MapBlock[], name: string, length?: number): MapField[] {
  const fields: MapField[] = [];
  addType(type, name, 0, fields, cases, length);
  return fields;
}

/** Adds the fields of a type. @returns the offset behind it, `undefined` where that depends on a count */
function addType(
  type: MemoryType,
  name: string,
  offset: number | undefined,
  fields: MapField[],
  cases: MapBlock[],
  length: number | undefined = sizeOf(type),
): number | undefined {
  const end = offset === undefined || length === undefined ? undefined : offset + length;
  const leaf = (
    kind: MapKind,
    about: readonly (string | undefined)[] = [],
    typeName = cTypeName(type),
  ): void => {
    const said = [type.doc, ...about].filter((each) => each !== undefined && each !== '').join('; ');
    fields.push({ name, kind, type: typeName, offset, length, about: said });
  };
  switch (type.kind) {
    case 'integer':
      leaf('number', [type.unit && `in ${type.unit}`, ...ruleTexts(type.rules)]);
      return end;
    case 'pointer':
      leaf('pointer', [`leads to ${targetText(type.target)}`, ...ruleTexts(type.rules)]);
      return end;
    case 'chars':
      leaf('text', [type.constant && `"${type.constant}"`]);
      return end;
    case 'text':
      leaf('text', [type.includes && `holds "${type.includes}"`], type.includes && `"${type.includes}"`);
      return end;
    case 'bytes':
      leaf('bytes');
      return end;
    case 'reserved':
      leaf('unused', [type.mustBeZero ? 'zero' : 'nobody reads it']);
      return end;
    case 'bits': {
      const parts = Object.entries(type.parts).map(([part, { width, doc, rules }]) => {
        const said = [doc, ...ruleTexts(rules)].filter((each) => each !== undefined).join('; ');
        return { name: part, width, about: said };
      });
      fields.push({
        name,
        kind: 'number',
        type: cTypeName(type),
        offset,
        length,
        about: type.doc ?? '',
        parts,
      });
      return end;
    }
    case 'struct':
      addFields(type, name, offset, fields, cases);
      return end;
    case 'gather':
      addFields(type.descriptor, name, offset, fields, cases);
      return end;
    case 'union':
      leaf('bytes', [`what it holds is told by ${type.selector}`]);
      for (const [key, { when, type: of }] of Object.entries(type.cases)) {
        const title = `${name}.${key}, ${formatSize(sizeOf(of) ?? 0)}`;
        const about = `When ${type.selector} is ${when}: struct ${of.name}. ${of.doc ?? ''}`.trim();
        cases.push({ kind: 'struct', title, about, runs: [{ fields: fieldsOf(of, cases, '') }] });
      }
      return end;
    case 'array':
      addArray(type, name, offset, fields, cases);
      return end;
  }
}

function addFields(
  type: StructType,
  name: string,
  start: number | undefined,
  fields: MapField[],
  cases: MapBlock[],
): void {
  let at = start;
  for (const [field, of] of Object.entries(type.fields)) {
    const rest =
      of.kind === 'reserved' &&
      of.length === 'rest' &&
      type.size !== undefined &&
      at !== undefined &&
      start !== undefined
        ? type.size - (at - start)
        : undefined;
    at = addType(of, name === '' ? field : `${name}.${field}`, at, fields, cases, rest ?? sizeOf(of));
  }
}

function addArray(
  type: ArrayType,
  name: string,
  start: number | undefined,
  fields: MapField[],
  cases: MapBlock[],
): void {
  const { of, count, doc = '' } = type;
  const size = sizeOf(of) ?? 1;
  const fixed = typeof count === 'number' ? count : undefined;
  const isWhole = fixed !== undefined && (fixed * size <= WHOLE_ARRAY || fixed <= 1);
  const shown = isWhole ? fixed : of.kind === 'struct' ? 1 : SHOWN_ELEMENTS;
  let at = start;
  for (let index = 0; index < shown; index++) at = addType(of, `${name}[${index}]`, at, fields, cases);
  if (isWhole) return;
  const last = fixed ?? (typeof count === 'object' ? count.field : undefined);
  const end =
    last === undefined
      ? 'the end'
      : typeof last === 'number'
        ? `${name}[${last - 1}]`
        : `${name}[${last} - 1]`;
  fields.push({
    name: `${name}[${shown}] to ${end}`,
    kind: kindOf(of),
    type: `${cTypeName(of)}, ${formatSize(size)} each`,
    offset: at,
    length: fixed === undefined ? undefined : (fixed - shown) * size,
    about: [doc, `elements of ${formatHex(size)} bytes`].filter((each) => each !== '').join('; '),
  });
}

function kindOf(type: MemoryType): MapKind {
  if (type.kind === 'integer' || type.kind === 'bits') return 'number';
  if (type.kind === 'pointer' || type.kind === 'gather') return 'pointer';
  return type.kind === 'chars' || type.kind === 'text' ? 'text' : 'bytes';
}
