// SPDX-License-Identifier: Apache-2.0
import { openFdt } from '../fdt/fdt.js';
import type { DebugfsSide, SubBlob } from '../kho/debugfs-folder.js';
import type { IdentifyOptions } from '../schemas/identify.js';
import { identifyFdt, identifyNamed } from '../schemas/identify-blob.js';
import { writeFdtMembers } from './fdt-json.js';
import { jsonIssue, jsonString, jsonU64, writeJsonArray, writeJsonBytes } from './json-text.js';
import type { TextSink } from './text-sink.js';
import { writeValueMembers } from './value-json.js';

/** How {@link writeSidesJson} reads blobs. */
export interface FolderJsonOptions {
  /** Damaged FDTs are read as far as they go. */
  readonly tolerant: boolean;
  /** How layouts are chosen. */
  readonly identify: IdentifyOptions;
}

/**
 * Writes the directions of a debugfs folder as a JSON array: `direction`, `finalized`, `scratch`, `fdt`, `blobs` (each
 * with an `fdt`, or with its bytes as hex digits), `issues`.
 *
 * @param options - tolerant: read damaged FDTs as far as they go; identify: how layouts are chosen
 * @param indent - spaces before the closing bracket
 * @throws FdtError for a malformed blob, unless tolerant
 */
export function writeSidesJson(
  out: TextSink,
  sides: readonly DebugfsSide[],
  indent: string,
  options: FolderJsonOptions,
): void {
  writeJsonArray(out, sides, indent, (side) => {
    const inner = `${indent}    `;
    out(`{\n${inner}"direction": ${jsonString(side.direction)},\n`);
    out(`${inner}"finalized": ${side.finalized ?? null},\n${inner}"scratch": `);
    writeJsonArray(out, side.scratch, inner, ({ address, size }) =>
      out(`{"address": ${jsonU64(address)}, "size": ${jsonU64(size)}}`),
    );
    out(`,\n${inner}"fdt": {\n`);
    writeTree(out, side.root, `${inner}  `, options);
    out(`${inner}},\n${inner}"blobs": `);
    writeJsonArray(out, side.blobs, inner, (blob) => writeBlob(out, blob, `${inner}  `, options));
    out(`,\n${inner}"issues": `);
    writeJsonArray(out, side.issues, inner, (issue) => out(jsonIssue(issue)));
    out(`\n${indent}  }`);
  });
}

function writeBlob(out: TextSink, blob: SubBlob, indent: string, options: FolderJsonOptions): void {
  const inner = `${indent}  `;
  const optional = (value: bigint | undefined): string => (value === undefined ? 'null' : jsonU64(value));
  out(`{\n${inner}"name": ${jsonString(blob.name)},\n${inner}"address": ${optional(blob.address)},\n`);
  out(`${inner}"declaredSize": ${optional(blob.declaredSize)},\n${inner}"length": ${blob.bytes.length},\n`);
  if (blob.isFdt) {
    out(`${inner}"fdt": {\n`);
    writeTree(out, blob.bytes, `${inner}  `, options);
    out(`${inner}}\n`);
  } else {
    out(`${inner}"bytes": `);
    writeJsonBytes(out, blob.bytes);
    out(',\n');
    writeValueMembers(out, identifyNamed(blob.name, blob.bytes, options.identify), blob.bytes, inner);
    out('\n');
  }
  out(`${indent}}`);
}

function writeTree(out: TextSink, bytes: Uint8Array, indent: string, options: FolderJsonOptions): void {
  const fdt = openFdt(bytes, { tolerant: options.tolerant });
  writeFdtMembers(out, fdt, identifyFdt(fdt, options.identify), indent);
}
