// SPDX-License-Identifier: Apache-2.0
// Which value rules a layout has, from the declaration alone: what the tests must find a violation for.
import { requiredType } from '../../src/schemas/lang/read-node.js';
import type { FieldRule, IntegerRules, Layout, MemoryType, NodeType } from '../../src/schemas/lang/type.js';

/** Field names without positions, and the rule's name, as `violationsOf` writes them. */
export function ruleSites(layout: Layout): Set<string> {
  const sites = new Set<string>();
  if (layout.kind === 'node') nodeSites(layout, '/', sites);
  else typeSites(layout, '', sites);
  return sites;
}

function integerSites(
  { min, max, multipleOf, mask, oneOf }: IntegerRules,
  low: bigint,
  high: bigint,
  at: string,
  sites: Set<string>,
): void {
  if (min !== undefined && min > low) sites.add(`${at}: min`);
  if (max !== undefined && max < high) sites.add(`${at}: max`);
  if (multipleOf !== undefined) sites.add(`${at}: multipleOf`);
  if (mask !== undefined) sites.add(`${at}: mask`);
  if (oneOf !== undefined) sites.add(`${at}: oneOf`);
}

function fieldSites(rules: readonly FieldRule[], at: string, sites: Set<string>): void {
  for (const { rule, fields } of rules) sites.add(`${at}.${fields.join('+')}: ${rule}`);
}

function typeSites(type: MemoryType, at: string, sites: Set<string>): void {
  switch (type.kind) {
    case 'integer':
    case 'pointer': {
      const low = type.kind === 'integer' && type.signed ? -(1n << BigInt(type.bits - 1)) : 0n;
      integerSites(type.rules, low, low + (1n << BigInt(type.bits)) - 1n, at, sites);
      return;
    }
    case 'bits':
      for (const [name, { width, rules }] of Object.entries(type.parts)) {
        integerSites(rules, 0n, (1n << BigInt(width)) - 1n, `${at}.${name}`, sites);
      }
      return;
    case 'chars':
      if (type.terminated && type.constant === undefined) sites.add(`${at}: terminated`);
      if (type.nonEmpty) sites.add(`${at}: nonEmpty`);
      if (type.constant !== undefined) sites.add(`${at}: constant`);
      if (type.length > 2) sites.add(`${at}: zeros after NUL`);
      return;
    case 'text':
      if (type.includes !== undefined) sites.add(`${at}: includes`);
      return;
    case 'reserved':
      if (type.mustBeZero && typeof type.length === 'number') sites.add(`${at}: zero`);
      return;
    case 'array':
      if (type.unique !== undefined) sites.add(`${at}.${type.unique}: unique`);
      if (type.ascending !== undefined) sites.add(`${at}.${type.ascending}: ascending`);
      typeSites(type.of, `${at}[]`, sites);
      return;
    case 'union':
      for (const [name, { type: of }] of Object.entries(type.cases)) typeSites(of, `${at}.${name}`, sites);
      return;
    case 'gather':
      typeSites(type.descriptor, at, sites);
      return;
    case 'struct': {
      const fields = Object.entries(type.fields);
      const counts = fields.flatMap(([, of]) =>
        of.kind === 'array' && typeof of.count === 'object' ? [of.count.field] : [],
      );
      const selectors = fields.flatMap(([, of]) => (of.kind === 'union' ? [of.selector] : []));
      for (const [name, of] of fields) {
        if (!counts.includes(name) && !selectors.includes(name)) typeSites(of, `${at}.${name}`, sites);
      }
      fieldSites(type.rules, at, sites);
      return;
    }
    case 'bytes':
  }
}

function nodeSites(layout: NodeType, at: string, sites: Set<string>): void {
  const slash = at.endsWith('/') ? '' : '/';
  for (const [name, member] of Object.entries(layout.properties))
    typeSites(requiredType(member), at + slash + name, sites);
  for (const [name, member] of Object.entries(layout.children))
    nodeSites(requiredType(member), at + slash + name, sites);
  if (layout.each !== undefined) nodeSites(layout.each.node, `${at}${slash}<${layout.each.key}>`, sites);
  fieldSites(layout.rules, at, sites);
}
