// SPDX-License-Identifier: Apache-2.0
// The fields of a struct or array in memory as rows, pointers with what they lead to below them.
import { KhoError } from '../bytes/issue.js';
import { declaredText } from '../render/declared-text.js';
import { count } from '../render/size.js';
import { decode } from '../schemas/lang/decode.js';
import { addressIn } from '../schemas/lang/memory.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { ArrayType, MemoryType } from '../schemas/lang/type.js';
import { type Visit, walk } from '../schemas/lang/walk.js';
import { VALUE_STYLE } from './object-fields.js';
import type { ShownObject } from './shown-object.js';
import { runsOf, type TextRun } from './text-run.js';
import { inGroups, once, type Targets, type TreeNode } from './tree-node.js';

/** The rows of a struct, or of the elements of an array. What cannot be decoded is one row that says why. */
export function structRows(object: ShownObject, layout: MemoryType, targets: Targets): readonly TreeNode[] {
  const { bytes } = object;
  const stride = layout.kind === 'array' ? (sizeOf(layout.of) ?? 0) : 0;
  if (layout.kind !== 'array' || stride === 0) return decodedRows(object, layout, 0, bytes, targets);
  return inGroups(
    Math.floor(bytes.length / stride),
    (from, to) => elementRows(object, layout, stride, from, to, targets),
    (from, to) => ({ object, offset: from * stride, length: (to - from) * stride }),
  );
}

function elementRows(
  object: ShownObject,
  layout: ArrayType,
  stride: number,
  from: number,
  to: number,
  targets: Targets,
): TreeNode[] {
  const { bytes } = object;
  return Array.from({ length: to - from }, (_, index): TreeNode => {
    const offset = (from + index) * stride;
    const part = bytes.subarray(offset, offset + stride);
    return {
      label: `[${from + index}]`,
      role: 'property',
      value: () => previewOf(layout.of, part),
      place: { object, offset, length: stride },
      isBranch: layout.of.kind === 'struct',
      children: once(() => decodedRows(object, layout.of, offset, part, targets)),
    };
  });
}

function previewOf(type: MemoryType, bytes: Uint8Array): TextRun[] {
  try {
    return runsOf(declaredText(type, decode(type, bytes), () => undefined, VALUE_STYLE));
  } catch (error) {
    if (error instanceof KhoError) return [{ role: 'error', text: error.message }];
    throw error;
  }
}

/** A row that is being put together: what is inside of it comes after it. */
interface Draft {
  readonly item: Visit;
  readonly inside: Draft[];
}

function decodedRows(
  object: ShownObject,
  type: MemoryType,
  offset: number,
  bytes: Uint8Array,
  targets: Targets,
): readonly TreeNode[] {
  let top: Draft | undefined;
  const open: Draft[] = [];
  try {
    const value: unknown = decode(type, bytes, { trailing: true });
    walk(type, value, { offset, path: '' }, bytes.length, (item) => {
      const { path } = item.place;
      while (open.length > 1 && !isInside(path, open.at(-1)?.item.place.path ?? '')) open.pop();
      const parent = open.at(-1);
      // A descriptor and its struct are one thing.
      if (parent !== undefined && parent.item.place.path === path) return;
      const draft = { item, inside: [] };
      if (parent === undefined) top = draft;
      else parent.inside.push(draft);
      open.push(draft);
    });
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    const { message } = error;
    return [
      {
        label: 'not readable',
        role: 'group',
        value: () => [{ role: 'error', text: message }],
        place: { object, offset, length: bytes.length },
        isBranch: false,
        children: () => [],
      },
    ];
  }
  return top === undefined ? [] : rowsOf(top.inside, object, targets, bytes, offset);
}

function isInside(path: string, parent: string): boolean {
  return path.startsWith(parent) && (path.length === parent.length || /[.[]/.test(path[parent.length] ?? ''));
}

function rowsOf(
  drafts: readonly Draft[],
  object: ShownObject,
  targets: Targets,
  bytes: Uint8Array,
  base: number,
): TreeNode[] {
  // Of arrays with room for many the empty places at the end are left out but for the first.
  const isArray = /\]$/.test(drafts[0]?.item.place.path ?? '');
  const lastUsed = drafts.findLastIndex(({ item: { place, length } }) =>
    bytes.subarray(place.offset - base, place.offset - base + length).some((byte) => byte !== 0),
  );
  const used = isArray ? Math.min(drafts.length, lastUsed + 2) : drafts.length;
  return drafts.slice(0, used).map((draft) => rowOf(draft, object, targets, bytes, base));
}

function rowOf(
  { item, inside }: Draft,
  object: ShownObject,
  targets: Targets,
  bytes: Uint8Array,
  base: number,
): TreeNode {
  const { type, value, place, length, scope } = item;
  const label = place.path.replace(/^.*(?=\[[^[]*\]$)/s, '').replace(/^.*\./s, '');
  const pointer = type.kind === 'pointer' && typeof value === 'bigint' && value !== 0n ? value : undefined;
  const target = pointer === undefined ? undefined : targets.of(pointer, addressIn(object, place.offset));
  return {
    label,
    role: 'property',
    value: () =>
      type.kind === 'array' && Array.isArray(value) && value.length > 8
        ? [{ role: 'note', text: count(value.length, 'element') }]
        : runsOf(declaredText(type, value, (name) => scope[name], VALUE_STYLE)),
    place: { object, offset: place.offset, length },
    pointer,
    isBranch: inside.length > 0 || target !== undefined,
    children: once(() => [
      ...rowsOf(inside, object, targets, bytes, base),
      ...(target === undefined ? [] : targets.rows(target)),
    ]),
  };
}
