// SPDX-License-Identifier: Apache-2.0
// Changes to values of a layout that break one of its rules: one operator for each kind of rule.
import { KhoError } from '../../bytes/issue.js';
import { encodeUnchecked } from '../../schemas/lang/encode.js';
import { showValue } from '../../schemas/lang/show.js';
import { sizeOf } from '../../schemas/lang/size.js';
import { walk } from '../../schemas/lang/walk.js';
import type { BlobOperator, BlobSite, ChangedBlob } from '../blob-operator.js';
import { violationsOf } from '../violations.js';

/** Kinds of rules: as {@link violationsOf} names them, what the operator is called, its family, what it does. */
const RULE_KINDS: readonly (readonly [
  rule: string,
  id: string,
  family: string,
  doc: string,
  code?: string,
])[] = [
  ['min', 'value-below-minimum', 'lengths', 'a value is one less than it may be'],
  ['max', 'value-above-maximum', 'lengths', 'a value is one more than it may be'],
  ['multipleOf', 'value-misaligned', 'orders', 'a value is one off the multiple that it must be'],
  ['mask', 'value-reserved-bits', 'reserved', 'bits are set that must not be'],
  ['oneOf', 'value-unlisted', 'versions', 'a value is none of those that occur'],
  ['terminated', 'text-unterminated', 'text', 'text has no NUL behind it'],
  ['nonEmpty', 'text-empty', 'text', 'text is missing where there must be some'],
  ['constant', 'text-version-other', 'versions', 'a version string is another one'],
  ['zeros after NUL', 'text-tail', 'text', 'there are bytes behind the NUL of text', 'NOT_ZERO'],
  ['includes', 'compatible-other', 'versions', 'compatible is another string'],
  ['zero', 'reserved-in-use', 'reserved', 'reserved bytes are in use', 'NOT_ZERO'],
  ['unique', 'key-twice', 'names', 'two elements have one key'],
  ['ascending', 'key-unsorted', 'orders', 'elements do not ascend'],
  ['zero-together', 'lone-zero', 'counts', 'one of two fields is zero that are zero together'],
  ['zero-when', 'not-zero-when', 'counts', 'a field is not zero where another says it must be'],
  ['at-least', 'field-too-small', 'lengths', 'a field is smaller than another allows'],
  ['equals-name', 'field-not-name', 'names', 'a field differs from the name of its node'],
  [
    'elements-multiple-of',
    'element-misaligned',
    'orders',
    'a field of an element is off the boundary that another field tells',
  ],
  ['elements-ascending', 'elements-unsorted', 'orders', 'elements do not ascend by several fields'],
  [
    'not-zero-unless',
    'zero-unexcused',
    'reserved',
    'a field is zero and nothing says that the record is dead',
  ],
];

function breakRule({ layout, value, random }: BlobSite, rule: string): ChangedBlob | undefined {
  const fits = violationsOf(layout, value).filter(({ site }) => site.endsWith(`: ${rule}`));
  const chosen = random.pick(fits);
  if (chosen === undefined) return undefined;
  try {
    const bytes = encodeUnchecked(layout, chosen.value);
    return { bytes, at: chosen.path === '' ? '.' : chosen.path, detail: `broken: ${chosen.site}` };
  } catch (error) {
    // A tree that has become too large for its page.
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

/** One operator for each kind of rule that layouts have. */
export const valueOperators: readonly BlobOperator[] = RULE_KINDS.map(
  ([rule, id, family, doc, code = 'BAD_VALUE']) => ({
    id,
    family,
    doc,
    codes: [code],
    apply: (site) => breakRule(site, rule),
  }),
);

/** Changes to the length of a struct, and to counts in it. */
export const structOperators: readonly BlobOperator[] = [
  {
    id: 'struct-truncated',
    family: 'lengths',
    doc: 'a struct ends too early',
    codes: ['TRUNCATED'],
    apply: ({ layout, bytes, random }) => {
      if (layout.kind === 'node' || sizeOf(layout) === undefined) return undefined;
      const length = random.below(2) === 0 ? bytes.length - 1 : random.below(bytes.length);
      return { bytes: bytes.slice(0, length), at: '.', detail: `${bytes.length} bytes became ${length}` };
    },
  },
  {
    id: 'struct-extended',
    family: 'lengths',
    doc: 'there are bytes behind the end of a struct',
    codes: ['BAD_LENGTH'],
    apply: ({ layout, bytes, random }) => {
      if (layout.kind === 'node' || sizeOf(layout) === undefined) return undefined;
      const longer = new Uint8Array(bytes.length + 1 + random.below(16));
      longer.set(bytes);
      return { bytes: longer, at: '.', detail: `${bytes.length} bytes became ${longer.length}` };
    },
  },
  {
    id: 'struct-count-overflow',
    family: 'counts',
    doc: 'a field counts more elements than there is room for',
    codes: ['BAD_COUNT'],
    apply: ({ layout, value, bytes, random }) => {
      if (layout.kind !== 'struct') return undefined;
      const counts = new Set(
        Object.values(layout.fields).flatMap((field) =>
          field.kind === 'array' && typeof field.count === 'object' ? [`.${field.count.field}`] : [],
        ),
      );
      const found: { readonly path: string; readonly offset: number; readonly length: number }[] = [];
      walk(layout, value, { offset: 0, path: '' }, bytes.length, ({ place: { path, offset }, length }) => {
        if (counts.has(path)) found.push({ path, offset, length });
      });
      const chosen = random.pick(found);
      if (chosen === undefined) return undefined;
      const changed = bytes.slice();
      changed.fill(0xff, chosen.offset, chosen.offset + chosen.length);
      return { bytes: changed, at: chosen.path, detail: 'all bits of the count are set' };
    },
  },
];

/** A value as JSON, as `kho encode` takes it. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) => {
    if (typeof each === 'bigint') return `0x${each.toString(16)}`;
    if (each instanceof Uint8Array)
      return Array.from(each, (byte) => byte.toString(16).padStart(2, '0')).join('');
    return each;
  });
}

/** Values that no blob holds: what `kho encode` must refuse. Made only when asked for. */
export const jsonOperators: readonly BlobOperator[] = [
  {
    id: 'json-wrong-type',
    family: 'json',
    doc: 'a member of values to encode, as JSON, has the wrong type',
    codes: ['BAD_TYPE'],
    apply: ({ value, random }) => {
      if (typeof value !== 'object' || value === null) return undefined;
      const names = Object.keys(value).filter((name) => !name.startsWith('$'));
      const name = random.pick(names);
      if (name === undefined) return undefined;
      const old: unknown = Object.entries(value).find(([each]) => each === name)?.[1];
      const bytes = new TextEncoder().encode(jsonText({ ...value, [name]: true }));
      return { bytes, at: `.${name}`, detail: `${name} was ${showValue(old)}, is true` };
    },
  },
];
