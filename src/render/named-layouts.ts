// SPDX-License-Identifier: Apache-2.0
// What a version consists of: its layout, those that its pointers lead to, and the rows that document each.
import { cTypeName } from '../schemas/lang/c-type.js';
import { type DescriptionRow, describe } from '../schemas/lang/describe.js';
import type { Version } from '../schemas/lang/family.js';
import { relatedLayouts } from '../schemas/lang/related.js';
import type { ArrayType, Layout } from '../schemas/lang/type.js';

/** A layout that a version leads to, with the name that it is called by. */
export interface NamedLayout {
  readonly name: string;
  readonly layout: Layout;
}

/** The layout of a version and those that its pointers name, each with a name of its own; '' for the first. */
export function layoutsOf({ layout }: Version): readonly NamedLayout[] {
  const seen = new Map<string, number>();
  return relatedLayouts(layout).map((each, index) => {
    const base = each.kind === 'struct' ? each.name : each.kind === 'array' ? arrayName(each) : each.kind;
    const times = (seen.get(base) ?? 0) + 1;
    seen.set(base, times);
    return { name: index === 0 ? '' : times === 1 ? base : `${base} ${times}`, layout: each };
  });
}

function arrayName({ of }: ArrayType): string {
  return `${of.kind === 'struct' ? of.name : cTypeName(of)}[]`;
}

/** Rows of a layout; those of what pointers lead to have the name of their struct or array in front. */
export function namedRows({ name, layout }: NamedLayout): readonly DescriptionRow[] {
  if (name === '') return describe(layout);
  return describe(layout).map((row, index) => {
    const inside = layout.kind === 'array' ? row.path.replace(/^value\[\]\./, '') : row.path;
    return { ...row, path: index === 0 ? name : `${name}.${inside}` };
  });
}

/** All that is said of a field besides its place and type, on one line. */
export function rowDoc({ doc, unit, rules, names, target, optional }: DescriptionRow): string {
  const parts = [
    ...(doc === '' ? [] : [doc.replace(/\.$/, '')]),
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(target === undefined ? [] : [`→ ${target}`]),
    ...rules,
    ...(names.length === 0 ? [] : [names.join(', ')]),
    ...(optional ? ['may be missing'] : []),
  ];
  return parts.join('; ');
}
