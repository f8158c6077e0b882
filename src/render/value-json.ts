// SPDX-License-Identifier: Apache-2.0
// Decoded values as JSON: what `valueFromJson` of the schemas floor reads again.
import { KhoError } from '../bytes/issue.js';
import { FdtNode } from '../fdt/fdt.js';
import type { Identified } from '../schemas/identify.js';
import { check } from '../schemas/lang/check.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import { node } from '../schemas/lang/node.js';
import { jsonIssue, jsonString, jsonU64, writeJsonArray, writeJsonBytes } from './json-text.js';
import { jsonLayout } from './layout-note.js';
import type { TextSink } from './text-sink.js';

const WRAPPER = node({});

/**
 * Writes the members `layout`, `value` and `layoutIssues` of a JSON object, without line end or comma after them: the
 * layout that was taken, the value decoded by it (null where the bytes cannot be laid out), and the rules it breaks.
 */
export function writeValueMembers(
  out: TextSink,
  identified: Identified | undefined,
  bytes: Uint8Array,
  indent: string,
): void {
  out(`${indent}"layout": ${jsonLayout(identified)},\n${indent}"value": `);
  if (identified === undefined) {
    out(`null,\n${indent}"layoutIssues": []`);
    return;
  }
  let issues: Parameters<typeof jsonIssue>[0][] = [];
  try {
    const checked = check(identified.version.layout, bytes, { trailing: true });
    issues = [...checked.issues, ...checked.unknown];
    writeJsonValue(out, checked.value ?? null, indent);
  } catch (error) {
    // A damaged FDT: what is wrong with it is told as issues of the blob.
    if (!(error instanceof KhoError)) throw error;
    out('null');
  }
  out(`,\n${indent}"layoutIssues": `);
  writeJsonArray(out, issues, indent, (issue) => out(jsonIssue(issue)));
}

/** Writes a decoded value: u64 as hex strings, bytes as hex digits. Depth is that of layouts. */
export function writeJsonValue(out: TextSink, value: unknown, indent: string): void {
  if (typeof value === 'bigint') out(value < 0n ? `"${value}"` : jsonU64(value));
  else if (typeof value === 'number' || typeof value === 'boolean') out(`${value}`);
  else if (typeof value === 'string') out(jsonString(value));
  else if (value instanceof Uint8Array) writeJsonBytes(out, value);
  else if (value instanceof FdtNode) {
    const blob = encodeUnchecked(WRAPPER, { $unknown: { properties: [], nodes: [value] } });
    out(`{"name": ${jsonString(value.name)}, "fdt": `);
    writeJsonBytes(out, blob);
    out('}');
  } else if (Array.isArray(value)) writeArray(out, value, indent);
  else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, each]) => each !== undefined);
    if (members.length === 0) {
      out('{}');
      return;
    }
    members.forEach(([name, each], index) => {
      out(`${index === 0 ? '{' : ','}\n${indent}  ${jsonString(name)}: `);
      writeJsonValue(out, each, `${indent}  `);
    });
    out(`\n${indent}}`);
  } else out('null');
}

function writeArray(out: TextSink, value: readonly unknown[], indent: string): void {
  if (value.every((each) => typeof each !== 'object' || each === null)) {
    out('[');
    value.forEach((each, index) => {
      if (index > 0) out(', ');
      writeJsonValue(out, each, indent);
    });
    out(']');
    return;
  }
  writeJsonArray(out, value, indent, (each) => writeJsonValue(out, each, `${indent}  `));
}
