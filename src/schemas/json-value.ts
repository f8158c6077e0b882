// SPDX-License-Identifier: Apache-2.0
// Values as JSON holds them (u64 as hex strings, bytes as hex digits) made into values that `encodeUnchecked` takes.
import { KhoError } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';
import { type FdtNode, openFdt } from '../fdt/fdt.js';
import { failAt } from './lang/error.js';
import { isRecord } from './lang/input.js';
import { requiredType } from './lang/read-node.js';
import { showValue } from './lang/show.js';
import type { EachNode, Layout, MemoryType, NodeType } from './lang/type.js';

/**
 * Makes a value of parsed JSON. What is missing is left for encoding to tell; what no layout member can be, or a string
 * that is no number or no bytes, is told here.
 *
 * @throws SchemaError BAD_TYPE, UNKNOWN with the path of the value
 */
export function valueFromJson(layout: Layout, json: unknown): unknown {
  return layout.kind === 'node' ? nodeValue(layout, json, '/') : typeValue(layout, json, '');
}

function fail(path: string, expected: string, found: unknown): Error {
  return failAt({ offset: 0, path }, 'BAD_TYPE', expected, showValue(found));
}

function nodeValue(layout: NodeType, json: unknown, path: string): unknown {
  if (!isRecord(json)) throw fail(path, 'the members of a node', json);
  const below = path.endsWith('/') ? path : `${path}/`;
  const { each } = layout;
  return mapMembers(json, below, (name, found) => {
    const property = Object.hasOwn(layout.properties, name) ? layout.properties[name] : undefined;
    if (property !== undefined) return typeValue(requiredType(property), found, below + name);
    const child = Object.hasOwn(layout.children, name) ? layout.children[name] : undefined;
    if (child !== undefined) return nodeValue(requiredType(child), found, below + name);
    if (name === '$name') return found;
    if (name === '$unknown') return unknownMembers(found, `${below}$unknown`);
    return each?.key === name ? eachValue(each, found, `${path}.${name}`) : undefined;
  });
}

/** Makes a value of each member; a member for which there is none is refused. */
function mapMembers(
  json: Readonly<Record<string, unknown>>,
  below: string,
  make: (name: string, found: unknown) => unknown,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(json).map(([name, found]) => {
    const value = make(name, found);
    if (value === undefined) {
      const quoted = `"${escapeText(name)}"`;
      throw failAt({ offset: 0, path: below + escapeText(name) }, 'UNKNOWN', 'a declared member', quoted);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(entries);
}

function eachValue({ node }: EachNode, json: unknown, path: string): unknown {
  if (!Array.isArray(json)) throw fail(path, 'an array of nodes', json);
  return json.map((child: unknown, index) => nodeValue(node, child, `${path}[${index}]`));
}

function unknownMembers(json: unknown, path: string): unknown {
  if (!isRecord(json)) throw fail(path, 'properties and nodes', json);
  const list = (name: string): readonly unknown[] => {
    const found = json[name] ?? [];
    if (!Array.isArray(found)) throw fail(`${path}.${name}`, 'an array', found);
    return found;
  };
  const properties = list('properties').map((property, index) => {
    const at = `${path}.properties[${index}]`;
    if (!isRecord(property) || typeof property['name'] !== 'string')
      throw fail(at, 'name and value', property);
    return { name: property['name'], value: bytesValue(property['value'], `${at}.value`) };
  });
  const nodes = list('nodes').map((node, index) => nodeOfBlob(node, `${path}.nodes[${index}]`));
  return { properties, nodes };
}

/** A node that came as the only child of the root of a blob in hex digits. */
function nodeOfBlob(json: unknown, path: string): FdtNode {
  const blob = bytesValue(isRecord(json) ? json['fdt'] : undefined, `${path}.fdt`);
  try {
    for (const node of openFdt(blob).root?.children() ?? []) return node;
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
  }
  throw fail(`${path}.fdt`, 'an FDT with one node, in hex digits', json);
}

function typeValue(type: MemoryType, json: unknown, path: string): unknown {
  switch (type.kind) {
    case 'integer':
    case 'pointer':
      return integerValue(json, path);
    case 'bits':
      if (!isRecord(json)) throw fail(path, `bit fields ${Object.keys(type.parts).join(', ')}`, json);
      return mapMembers(json, `${path}.`, (name, found) =>
        Object.hasOwn(type.parts, name) ? integerValue(found, `${path}.${name}`) : undefined,
      );
    case 'chars':
    case 'text':
      if (typeof json !== 'string') throw fail(path, 'text', json);
      return json;
    case 'bytes':
    case 'reserved':
      return bytesValue(json, path);
    case 'array':
      if (!Array.isArray(json)) throw fail(path, 'an array', json);
      return json.map((element: unknown, index) => typeValue(type.of, element, `${path}[${index}]`));
    case 'struct':
      if (!isRecord(json)) throw fail(path, `the fields of ${type.name}`, json);
      return mapMembers(json, `${path}.`, (name, found) => {
        const field = Object.hasOwn(type.fields, name) ? type.fields[name] : undefined;
        return field && typeValue(field, found, `${path}.${name}`);
      });
    case 'union':
      if (!isRecord(json)) throw fail(path, `one of ${Object.keys(type.cases).join(', ')}, raw`, json);
      return mapMembers(json, `${path}.`, (name, found) => {
        if (name === 'raw') return bytesValue(found, `${path}.raw`);
        const of = Object.hasOwn(type.cases, name) ? type.cases[name]?.type : undefined;
        return of && typeValue(of, found, `${path}.${name}`);
      });
    case 'gather':
      return typeValue(type.descriptor, json, path);
  }
}

function integerValue(json: unknown, path: string): number | bigint {
  if (typeof json === 'number' && Number.isSafeInteger(json)) return json;
  if (typeof json === 'string' && /^(?:0x[0-9a-f]{1,32}|-?[0-9]{1,39})$/i.test(json)) return BigInt(json);
  throw fail(path, 'a whole number, or one in a string as "0x1000"', json);
}

function bytesValue(json: unknown, path: string): Uint8Array {
  if (typeof json !== 'string' || json.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(json))
    throw fail(path, 'bytes in hex digits, two each', json);
  const bytes = new Uint8Array(json.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(json.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}
