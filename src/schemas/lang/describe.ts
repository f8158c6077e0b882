// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../../bytes/hex.js';
import { cTypeName } from './c-type.js';
import { describeNodeName, requiredType } from './read-node.js';
import { ruleTexts } from './rule-text.js';
import { sizeOf } from './size.js';
import type { BitsType, EachNode, Layout, MemoryType, NodeType, PointerTarget } from './type.js';

/** One line of documentation: a field, a property, a node. */
export interface DescriptionRow {
  /** Field names joined by dots, node paths by slashes; `<name>` stands for patterned nodes. */
  readonly path: string;
  /** Offset in bytes from the start of the struct; left out in FDT nodes and after fields of unknown size. */
  readonly offset?: number | undefined;
  /** In bytes; left out where it depends on a count. */
  readonly size?: number | undefined;
  /** As C would name it, or `node`. */
  readonly type: string;
  readonly doc: string;
  readonly unit?: string | undefined;
  readonly optional: boolean;
  /** Value rules in words. */
  readonly rules: readonly string[];
  /** Names of flags or values, with the value: `DIRTY 0x1`. */
  readonly names: readonly string[];
  /** What a pointer leads to. */
  readonly target?: string | undefined;
}

/** Documentation of a layout, one row a field or property, containers before what they contain. */
export function describe(layout: Layout): readonly DescriptionRow[] {
  const rows: DescriptionRow[] = [];
  if (layout.kind === 'node') nodeRows(layout, '/', false, rows);
  else typeRows(layout, layout.kind === 'struct' ? layout.name : 'value', 0, false, rows, '');
  return rows;
}

function nodeRows(layout: NodeType, path: string, isOptional: boolean, rows: DescriptionRow[]): void {
  const below = path === '/' ? '/' : `${path}/`;
  const rules = layout.rules.map((rule) => rule.doc);
  rows.push({ path, type: 'node', doc: layout.doc ?? '', optional: isOptional, rules, names: [] });
  for (const [name, member] of Object.entries(layout.properties)) {
    const type = requiredType(member);
    const found: DescriptionRow[] = [];
    typeRows(type, below + name, undefined, member.kind === 'optional', found);
    rows.push(...found);
  }
  for (const [name, member] of Object.entries(layout.children)) {
    nodeRows(requiredType(member), below + name, member.kind === 'optional', rows);
  }
  if (layout.each !== undefined) eachRows(layout.each, below, rows);
}

function eachRows({ name, node, key }: EachNode, below: string, rows: DescriptionRow[]): void {
  const found: DescriptionRow[] = [];
  nodeRows(node, `${below}<${key}>`, true, found);
  const [first, ...rest] = found;
  if (first === undefined) return;
  const named = `${name.doc === undefined ? 'its name' : `name: ${name.doc}`}, ${describeNodeName(name)}`;
  rows.push({ ...first, rules: [named, ...first.rules] }, ...rest);
}

function typeRows(
  type: MemoryType,
  path: string,
  offset: number | undefined,
  isOptional: boolean,
  rows: DescriptionRow[],
  prefix = path,
): void {
  const row = {
    path,
    offset,
    size: sizeOf(type),
    type: cTypeName(type),
    doc: type.doc ?? '',
    optional: isOptional,
  };
  switch (type.kind) {
    case 'integer': {
      const names = namesOf({ ...type.flags, ...type.names });
      rows.push({ ...row, unit: type.unit, rules: ruleTexts(type.rules), names });
      return;
    }
    case 'pointer': {
      const rules = ruleTexts(type.rules);
      rows.push({
        ...row,
        rules: type.nullable ? [...rules, '0 for nothing'] : rules,
        names: [],
        target: targetText(type.target),
      });
      return;
    }
    case 'bits': {
      rows.push({ ...row, rules: [], names: [] });
      partRows(type, path, offset, rows);
      return;
    }
    case 'struct': {
      rows.push({ ...row, rules: type.rules.map((rule) => rule.doc), names: [] });
      fieldRows(type.fields, offset, prefix, rows);
      return;
    }
    case 'array': {
      const rules = type.unique === undefined ? [] : [`no two of one ${type.unique}`];
      if (type.ascending !== undefined) rules.push(`by ascending ${type.ascending}`);
      const { of } = type;
      const isNumber = of.kind === 'integer' || of.kind === 'pointer';
      const own = of.kind === 'struct' ? of.rules.map(({ doc }) => doc) : isNumber ? ruleTexts(of.rules) : [];
      if (of.kind === 'pointer' && of.nullable) own.push('0 for nothing');
      rules.push(...own.map((rule) => `of each: ${rule}`));
      const names = of.kind === 'integer' ? namesOf({ ...of.flags, ...of.names }) : [];
      rows.push({ ...row, rules, names, target: of.kind === 'pointer' ? targetText(of.target) : undefined });
      if (of.kind === 'struct') fieldRows(of.fields, 0, `${path}[]`, rows);
      else if (of.kind === 'bits') partRows(of, `${path}[]`, 0, rows);
      return;
    }
    case 'union':
      rows.push({ ...row, rules: [], names: [] });
      for (const [name, { when, type: of }] of Object.entries(type.cases)) {
        const rules = [`when ${type.selector} is ${when}`];
        const at = `${path}.${name}`;
        rows.push({
          path: at,
          offset,
          size: sizeOf(of),
          type: cTypeName(of),
          doc: of.doc ?? '',
          optional: true,
          rules,
          names: [],
        });
        fieldRows(of.fields, offset, at, rows);
      }
      return;
    case 'gather':
      rows.push({ ...row, rules: [], names: [], target: `${cTypeName(type.contents.of)}[${type.count}]` });
      fieldRows(type.descriptor.fields, offset, path, rows);
      return;
    case 'chars': {
      const rules = type.nonEmpty ? ['not empty'] : [];
      if (type.terminated) rules.push('ended by a NUL');
      if (type.constant !== undefined) rules.push(`"${type.constant}"`);
      rows.push({ ...row, rules, names: [] });
      return;
    }
    case 'text':
      rows.push({
        ...row,
        rules: type.includes === undefined ? [] : [`holds "${type.includes}"`],
        names: [],
      });
      return;
    case 'reserved':
      rows.push({ ...row, rules: type.mustBeZero ? ['zero'] : [], names: [] });
      return;
    case 'bytes':
      rows.push({ ...row, rules: [], names: [] });
  }
}

function partRows(
  { parts }: BitsType,
  path: string,
  offset: number | undefined,
  rows: DescriptionRow[],
): void {
  let at = 0;
  for (const [name, { width, doc = '', flags = {}, rules }] of Object.entries(parts)) {
    const bits = `bits ${at} to ${at + width - 1}`;
    const part = { path: `${path}.${name}`, offset, type: bits, doc };
    rows.push({ ...part, optional: false, rules: ruleTexts(rules), names: namesOf(flags) });
    at += width;
  }
}

function fieldRows(
  fields: Readonly<Record<string, MemoryType>>,
  start: number | undefined,
  prefix: string,
  rows: DescriptionRow[],
): void {
  let at = start;
  for (const [name, field] of Object.entries(fields)) {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    typeRows(field, path, at, false, rows);
    const size = sizeOf(field);
    at = at === undefined || size === undefined ? undefined : at + size;
  }
}

function namesOf(named: Readonly<Record<string, bigint>>): string[] {
  return Object.entries(named).map(([name, value]) => `${name} ${formatHex(value)}`);
}

/** What a pointer leads to, in words. */
export function targetText(target: PointerTarget): string {
  switch (target.to) {
    case 'self':
      return 'the next of these';
    case 'layout': {
      const { layout, elements } = target;
      if (layout.kind === 'array' && elements !== undefined) return `${cTypeName(layout.of)}[${elements}]`;
      return layout.kind === 'node' ? 'an FDT' : cTypeName(layout);
    }
    case 'memory':
      return target.length === undefined ? 'a page' : `${target.length} bytes`;
    case 'lookup':
      return target.key === undefined ? target.group : `${target.group} by ${target.key}`;
    case 'radix':
      return `radix tree of struct ${target.tree.table.name}`;
  }
}
