// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { formatIssue, type Issue } from '../bytes/issue.js';
import type { MappingFinding } from '../vtd/mapping-check.js';
import type { WalkFinding, WalkResult } from '../vtd/walk-result.js';
import { jsonString, jsonU64 } from './json-text.js';
import type { Paint } from './paint.js';
import { count } from './size.js';
import type { TextSink } from './text-sink.js';

/** A finding of a walk as an issue: where its entry is. */
export function walkIssue({ code, message, level, address, entry, iova }: WalkFinding): Issue {
  const path = `level ${level} entry ${formatHex(entry)} for IOVA ${formatHex(iova)}`;
  return { code, message, address, path };
}

/** A finding about mappings as an issue. */
export function mappingIssue({ code, message, iova, extents }: MappingFinding): Issue {
  return { code, message, path: `IOVA ${formatHex(iova)} and ${count(extents - 1, 'further extent')}` };
}

/** All there are, also those that were not kept. */
export function findingTotal(counts: Readonly<Partial<Record<string, number>>>): number {
  return Object.values(counts).reduce<number>((sum, each) => sum + (each ?? 0), 0);
}

/** Writes issues, a line each, and how many there are in all where only the first were kept. */
export function writeFindings(out: TextSink, issues: readonly Issue[], total: number, paint: Paint): void {
  for (const issue of issues) out(`  ${paint('error', 'finding')}  ${formatIssue(issue)}\n`);
  if (total > issues.length)
    out(`  ${paint('note', `… and ${count(total - issues.length, 'further finding')}`)}\n`);
}

/** A finding of a walk as a JSON object. */
export function jsonWalkFinding({ code, message, level, address, entry, iova }: WalkFinding): string {
  return `{"code": ${jsonString(code)}, "level": ${level}, "address": ${jsonU64(address)}, "entry": ${jsonU64(entry)}, "iova": ${jsonU64(iova)}, "message": ${jsonString(message)}}`;
}

/** A finding about mappings as a JSON object. */
export function jsonMappingFinding({ code, message, iova, extents }: MappingFinding): string {
  return `{"code": ${jsonString(code)}, "iova": ${jsonU64(iova)}, "extents": ${extents}, "message": ${jsonString(message)}}`;
}

/** `2 level 4 …` is no help: `1 table page of level 3, 2 of level 2, …`, from the top. */
export function tablePagesText({ levels }: Pick<WalkResult, 'levels'>): string {
  const parts = levels
    .toReversed()
    .filter(({ tables }) => tables > 0)
    .map(({ level, tables }) => `${tables} of level ${level}`);
  const all = levels.reduce((sum, { tables }) => sum + tables, 0);
  return `${count(all, 'table page')}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}
