// SPDX-License-Identifier: Apache-2.0
import { openFdt } from '../fdt/fdt.js';
import type { DebugfsSide, SubBlob } from '../kho/debugfs-folder.js';
import { writeFdtMembers } from './fdt-json.js';
import { jsonIssue, jsonString, jsonU64, writeJsonArray, writeJsonBytes } from './json-text.js';
import type { TextSink } from './text-sink.js';

/**
 * Writes the directions of a debugfs folder as a JSON array: `direction`, `finalized`, `scratch`, `fdt`, `blobs` (each
 * with an `fdt`, or with its bytes as hex digits), `issues`.
 *
 * @param indent - spaces before the closing bracket
 * @throws FdtError for a malformed blob, unless tolerant
 */
export function writeSidesJson(
  out: TextSink,
  sides: readonly DebugfsSide[],
  indent: string,
  tolerant: boolean,
): void {
  writeJsonArray(out, sides, indent, (side) => {
    const inner = `${indent}    `;
    out(`{\n${inner}"direction": ${jsonString(side.direction)},\n`);
    out(`${inner}"finalized": ${side.finalized ?? null},\n${inner}"scratch": `);
    writeJsonArray(out, side.scratch, inner, ({ address, size }) =>
      out(`{"address": ${jsonU64(address)}, "size": ${jsonU64(size)}}`),
    );
    out(`,\n${inner}"fdt": {\n`);
    writeFdtMembers(out, openFdt(side.root, { tolerant }), `${inner}  `);
    out(`${inner}},\n${inner}"blobs": `);
    writeJsonArray(out, side.blobs, inner, (blob) => writeBlob(out, blob, `${inner}  `, tolerant));
    out(`,\n${inner}"issues": `);
    writeJsonArray(out, side.issues, inner, (issue) => out(jsonIssue(issue)));
    out(`\n${indent}  }`);
  });
}

function writeBlob(out: TextSink, blob: SubBlob, indent: string, tolerant: boolean): void {
  const inner = `${indent}  `;
  const optional = (value: bigint | undefined): string => (value === undefined ? 'null' : jsonU64(value));
  out(`{\n${inner}"name": ${jsonString(blob.name)},\n${inner}"address": ${optional(blob.address)},\n`);
  out(`${inner}"declaredSize": ${optional(blob.declaredSize)},\n${inner}"length": ${blob.bytes.length},\n`);
  if (blob.isFdt) {
    out(`${inner}"fdt": {\n`);
    writeFdtMembers(out, openFdt(blob.bytes, { tolerant }), `${inner}  `);
    out(`${inner}}\n`);
  } else {
    out(`${inner}"bytes": `);
    writeJsonBytes(out, blob.bytes);
    out('\n');
  }
  out(`${indent}}`);
}
