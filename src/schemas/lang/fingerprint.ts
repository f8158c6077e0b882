// SPDX-License-Identifier: Apache-2.0
import { requiredType } from './read-node.js';
import { sizeOf } from './size.js';
import type { Layout, MemoryType, NodeType } from './type.js';

/**
 * A fingerprint of what decides the bytes of a layout, and of all layouts that its pointers name: names, order,
 * offsets, widths, version strings. Words of documentation and value rules are not in it. 16 hexadecimal digits.
 */
export function fingerprint(layout: Layout): string {
  return hash64(canonicalText(layout));
}

/** The text that is hashed: two layouts have the same bytes when it is the same. */
export function canonicalText(layout: Layout): string {
  return layout.kind === 'node' ? nodeText(layout) : typeText(layout);
}

function nodeText({ compatible, properties, children, each, writer }: NodeType): string {
  const parts = [`node(${compatible ?? ''} ${writer}`];
  for (const [name, member] of Object.entries(properties)) {
    parts.push(`${name}${member.kind === 'optional' ? '?' : ''}:${typeText(requiredType(member))}`);
  }
  for (const [name, member] of Object.entries(children)) {
    parts.push(`${name}${member.kind === 'optional' ? '?' : ''}/${nodeText(requiredType(member))}`);
  }
  if (each !== undefined) parts.push(`<${each.key} ${each.name.kind}>/${nodeText(each.node)}`);
  return `${parts.join(' ')})`;
}

function typeText(type: MemoryType): string {
  switch (type.kind) {
    case 'integer':
      return `${type.signed ? 's' : 'u'}${type.bits}${type.bigEndian ? ' be' : ''}`;
    case 'pointer': {
      const { target } = type;
      if (target.to === 'layout') return `${type.bigEndian ? 'be ' : ''}pa(${canonicalText(target.layout)})`;
      if (target.to === 'radix') {
        const { depth, table, leaf } = target.tree;
        return `radix(${Object.values(depth).join(' ')} ${typeText(table)} ${typeText(leaf)})`;
      }
      return `${type.bigEndian ? 'be ' : ''}pa(${target.to === 'lookup' ? target.group : target.to})`;
    }
    case 'bits':
      return `u${type.bits}{${Object.entries(type.parts)
        .map(([name, { width }]) => `${name}:${width}`)
        .join(' ')}}`;
    case 'chars':
      return `char[${type.length}]${type.constant === undefined ? '' : `="${type.constant}"`}`;
    case 'text':
      return `text${type.includes === undefined ? '' : `="${type.includes}"`}`;
    case 'bytes':
    case 'reserved':
      return `${type.kind}[${type.length}]`;
    case 'array':
      return `[${typeof type.count === 'object' ? type.count.field : type.count}]${typeText(type.of)}`;
    case 'union': {
      const cases = Object.entries(type.cases).map(
        ([name, { when, type: of }]) => `${when} ${name}:${typeText(of)}`,
      );
      return `union(${type.selector} ${type.size} ${cases.join(' ')})`;
    }
    case 'gather':
      return `gather(${typeText(type.descriptor)} ${typeText(type.chunk)} ${type.count}*${typeText(type.contents)})`;
    case 'struct': {
      let at = 0;
      const fields = Object.entries(type.fields).map(([name, field]) => {
        const text = `${at}:${name}:${typeText(field)}`;
        at += sizeOf(field) ?? 0;
        return text;
      });
      return `struct ${type.name}(${fields.join(' ')}; ${type.size ?? sizeOf(type) ?? ''})`;
    }
  }
}

/** FNV-1a of 64 bits over UTF-16 code units: to notice changes, not to withstand anybody. */
function hash64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, '0');
}
