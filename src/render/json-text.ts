// SPDX-License-Identifier: Apache-2.0
import { formatHex, hexBytes } from '../bytes/hex.js';
import type { Issue } from '../bytes/issue.js';
import { escapeJson } from '../bytes/printable.js';
import type { TextSink } from './text-sink.js';

/** The version of every JSON document that `kho` prints; a change that could break a reader raises it. */
export const JSON_SCHEMA_VERSION = 1;

const PIECE = 16384;

/** Text as a JSON string, pure of control characters: also DEL and C1, which JSON itself lets through. */
export function jsonString(text: string): string {
  return escapeJson(JSON.stringify(text));
}

/** A u64 as a JSON string, `"0x4b6000"`: a JSON number would lose bits. */
export function jsonU64(value: bigint): string {
  return `"${formatHex(value)}"`;
}

/** Writes bytes as a JSON string of hex digits, in pieces. */
export function writeJsonBytes(out: TextSink, bytes: Uint8Array): void {
  out('"');
  for (let at = 0; at < bytes.length; at += PIECE) out(hexBytes(bytes.subarray(at, at + PIECE)));
  out('"');
}

/** An issue as a JSON object: code, message, and offset, path, address where known. */
export function jsonIssue(issue: Issue): string {
  const fields = [`"code": ${jsonString(issue.code)}`];
  if (issue.offset !== undefined) fields.push(`"offset": ${issue.offset}`);
  if (issue.path !== undefined) fields.push(`"path": ${jsonString(issue.path)}`);
  if (issue.address !== undefined) fields.push(`"address": ${jsonU64(issue.address)}`);
  fields.push(`"message": ${jsonString(issue.message)}`);
  return `{${fields.join(', ')}}`;
}

/** Writes a JSON array, each item on a line of its own; `[]` without items. */
export function writeJsonArray<T>(
  out: TextSink,
  items: Iterable<T>,
  indent: string,
  writeItem: (item: T) => void,
): void {
  let isEmpty = true;
  for (const item of items) {
    out(`${isEmpty ? '[' : ','}\n${indent}  `);
    isEmpty = false;
    writeItem(item);
  }
  out(isEmpty ? '[]' : `\n${indent}]`);
}
