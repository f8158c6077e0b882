// SPDX-License-Identifier: Apache-2.0
import { targetText } from './describe.js';
import { requiredType } from './read-node.js';
import { partsOf, relatedLayouts } from './related.js';
import { fieldOffsets, sizeOf } from './size.js';
import type { Layout, MemoryType, NodeType, StructType } from './type.js';

/**
 * A C header that declares all structs of a layout and of what its pointers lead to, and asserts their sizes and the
 * offsets of their fields, so that a compiler agrees or refuses. FDT properties and nodes become comments.
 *
 * @param guard - name of the include guard, a C identifier
 */
export function cHeader(layout: Layout, guard: string): string {
  const structs = new Set<StructType>();
  for (const related of relatedLayouts(layout)) collectStructs(related, structs);
  const lines = [
    `#ifndef ${guard}`,
    `#define ${guard}`,
    '',
    '#include <stddef.h>',
    '#include <linux/types.h>',
    '',
  ];
  if (layout.kind === 'node')
    lines.push('/*', ...nodeLines(layout, '/').map((line) => ` * ${comment(line)}`), ' */', '');
  for (const type of structs) lines.push(...structLines(type), '');
  lines.push(`#endif /* ${guard} */`, '');
  return lines.join('\n');
}

/** Adds the structs of a layout, those that others are made of first. */
function collectStructs(layout: Layout, structs: Set<StructType>): void {
  if (layout.kind === 'node') {
    for (const member of Object.values(layout.properties)) collectStructs(requiredType(member), structs);
    for (const member of Object.values(layout.children)) collectStructs(requiredType(member), structs);
    if (layout.each !== undefined) collectStructs(layout.each.node, structs);
    return;
  }
  for (const part of partsOf(layout)) collectStructs(part, structs);
  if (layout.kind === 'struct') structs.add(layout);
}

function nodeLines(layout: NodeType, path: string): string[] {
  const lines = [`${path}: ${layout.doc ?? ''}`];
  const below = path === '/' ? '/' : `${path}/`;
  for (const [name, member] of Object.entries(layout.properties)) {
    const type = requiredType(member);
    const size = sizeOf(type);
    lines.push(`${below}${name}: ${size === undefined ? '' : `${size} bytes, `}${type.doc ?? type.kind}`);
  }
  for (const [name, member] of Object.entries(layout.children))
    lines.push(...nodeLines(requiredType(member), below + name));
  if (layout.each !== undefined) lines.push(...nodeLines(layout.each.node, `${below}<${layout.each.key}>`));
  return lines;
}

/** Text that cannot end a comment. */
function comment(text: string): string {
  return text.replaceAll('*/', '* /').trimEnd();
}

function structLines(type: StructType): string[] {
  const name = `struct ${type.name}`;
  const lines = [`/* ${comment(type.doc ?? type.name)} */`, `${name} {`];
  const offsets = fieldOffsets(type);
  const asserts: string[] = [];
  let open = false;
  for (const [field, of] of Object.entries(type.fields)) {
    // Behind a flexible array nothing can be declared: it is what is left of the page.
    if (open) break;
    const at = offsets.get(field) ?? 0;
    const flexible = sizeOf(of) === undefined;
    const left = type.size === undefined ? undefined : type.size - at;
    lines.push(...fieldLines(field, of, of.kind === 'reserved' ? left : undefined));
    if (of.kind !== 'bits')
      asserts.push(`_Static_assert(offsetof(${name}, ${field}) == ${at}, "${type.name}.${field}");`);
    open = flexible;
  }
  lines.push(type.packed ? '} __attribute__((packed));' : '};');
  const [flexible, last] = Object.entries(type.fields).find(([, of]) => sizeOf(of) === undefined) ?? [];
  // To C, a struct that ends in a flexible array is as long as what comes before it.
  const whole = flexible === undefined || last?.kind === 'reserved';
  const size = whole ? sizeOf(type) : offsets.get(flexible);
  if (size !== undefined) asserts.unshift(`_Static_assert(sizeof(${name}) == ${size}, "${type.name}");`);
  return [...lines, ...asserts];
}

function fieldLines(name: string, type: MemoryType, rest: number | undefined): string[] {
  const about = type.kind === 'pointer' ? `physical address of ${targetText(type.target)}` : undefined;
  const doc = [type.doc, about].filter((each) => each !== undefined && each !== '').join('; ');
  const tail = doc === '' ? '' : ` /* ${comment(doc)} */`;
  if (type.kind === 'bits') {
    return Object.entries(type.parts).map(([part, { width, doc: of }]) => {
      return `\t__u${type.bits} ${part} : ${width};${of === undefined ? '' : ` /* ${comment(of)} */`}`;
    });
  }
  if (type.kind === 'union') {
    const cases = Object.entries(type.cases).map(
      ([key, { when, type: of }]) => `\t\tstruct ${of.name} ${key}; /* ${type.selector} ${when} */`,
    );
    return ['\tunion {', ...cases, `\t\t__u8 raw[${type.size}];`, `\t} ${name};${tail}`];
  }
  return [`\t${declarator(name, type, rest)};${tail}`];
}

function declarator(name: string, type: MemoryType, rest: number | undefined): string {
  switch (type.kind) {
    case 'integer':
      return type.bigEndian ? `__be${type.bits} ${name}` : `__${type.signed ? 's' : 'u'}${type.bits} ${name}`;
    case 'pointer':
      return type.bigEndian ? `__be64 ${name}` : `__u64 ${name}`;
    case 'bits':
      return `__u${type.bits} ${name}`;
    case 'chars':
      return `char ${name}[${type.length}]`;
    case 'text':
      return `char ${name}[]`;
    case 'bytes':
    case 'reserved':
      return `__u8 ${name}[${type.length === 'rest' ? (rest ?? '') : type.length}]`;
    case 'array':
      return `${declarator(name, type.of, undefined)}[${typeof type.count === 'number' ? type.count : ''}]`;
    case 'struct':
      return `struct ${type.name} ${name}`;
    case 'gather':
      return `struct ${type.descriptor.name} ${name}`;
    case 'union':
      return `__u8 ${name}[${type.size}]`;
  }
}
