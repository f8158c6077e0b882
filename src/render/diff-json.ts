// SPDX-License-Identifier: Apache-2.0
import type { FdtChange } from '../fdt/diff.js';
import type { FdtNode, FdtProperty } from '../fdt/fdt.js';
import type { FolderChange, FolderOnlyChange } from '../kho/debugfs-diff.js';
import { jsonString, jsonU64, writeJsonArray, writeJsonBytes } from './json-text.js';
import type { TextSink } from './text-sink.js';

/**
 * Writes differences as a JSON array of objects with a `kind` and, where it means something, `where` (the file in a
 * folder), `path`, `property`, `occurrence`, `before`, `after`. Values are hex digits.
 *
 * @returns how many there were
 */
export function writeDiffJson(out: TextSink, changes: Iterable<FolderChange>, indent: string): number {
  let total = 0;
  writeJsonArray(out, changes, indent, ({ where, change }) => {
    total++;
    out(`{"kind": ${jsonString(change.kind)}`);
    if (where !== '') out(`, "where": ${jsonString(where)}`);
    writeDetails(out, change);
    out('}');
  });
  return total;
}

function writeDetails(out: TextSink, change: FdtChange | FolderOnlyChange): void {
  switch (change.kind) {
    case 'property-added':
      writePlace(out, change.node, change.property.name, change.occurrence);
      writeMember(out, 'after', change.property);
      break;
    case 'property-removed':
      writePlace(out, change.node, change.property.name, change.occurrence);
      writeMember(out, 'before', change.property);
      break;
    case 'property-changed':
      writePlace(out, change.node, change.after.name, change.occurrence);
      writeMember(out, 'before', change.before);
      writeMember(out, 'after', change.after);
      break;
    case 'property-moved':
      writePlace(out, change.node, change.property.name, change.occurrence);
      out(`, "before": ${change.before}, "after": ${change.after}`);
      break;
    case 'node-added':
    case 'node-removed':
      writePlace(out, change.node, undefined, change.occurrence);
      break;
    case 'node-moved':
      writePlace(out, change.node, undefined, change.occurrence);
      out(`, "before": ${change.before}, "after": ${change.after}`);
      break;
    case 'reservation-added':
      out(`, "after": ${range(change.reservation)}`);
      break;
    case 'reservation-removed':
    case 'reservation-moved':
      out(`, "before": ${range(change.reservation)}`);
      break;
    case 'reservation-changed':
      out(`, "before": ${range(change.before)}, "after": ${range(change.after)}`);
      break;
    case 'scratch-added':
      out(`, "after": ${range(change.region)}`);
      break;
    case 'scratch-removed':
      out(`, "before": ${range(change.region)}`);
      break;
    case 'boot-cpuid':
    case 'scratch-moved':
      out(`, "before": ${change.before}, "after": ${change.after}`);
      break;
    case 'finalized':
      out(`, "before": ${change.before ?? null}, "after": ${change.after ?? null}`);
      break;
    case 'blob-added':
      out(`, "after": {"length": ${change.length}}`);
      break;
    case 'blob-removed':
      out(`, "before": {"length": ${change.length}}`);
      break;
    case 'blob-changed':
      out(`, "before": {"length": ${change.lengthBefore}}, "after": {"length": ${change.lengthAfter}}`);
      out(`, "firstDifference": ${change.firstDifference}`);
      break;
    case 'side-added':
    case 'side-removed':
      break;
  }
}

function writePlace(out: TextSink, node: FdtNode, property: string | undefined, occurrence: number): void {
  out(`, "path": ${jsonString(node.path)}`);
  if (property !== undefined) out(`, "property": ${jsonString(property)}`);
  out(`, "occurrence": ${occurrence}`);
}

function writeMember(out: TextSink, name: 'before' | 'after', property: FdtProperty): void {
  out(`, "${name}": `);
  writeJsonBytes(out, property.value);
}

function range({ address, size }: { address: bigint; size: bigint }): string {
  return `{"address": ${jsonU64(address)}, "size": ${jsonU64(size)}}`;
}
