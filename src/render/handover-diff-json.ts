// SPDX-License-Identifier: Apache-2.0
import type { ComparedValue } from '../kho/compared-value.js';
import type { HandoverDiff } from '../kho/handover-change.js';
import { permissionText } from '../vtd/extents.js';
import { mappingFlags } from './handover-diff-text.js';
import { JSON_SCHEMA_VERSION, jsonString, jsonU64, writeJsonArray } from './json-text.js';
import type { TextSink } from './text-sink.js';

/** Writes what came of comparing two handovers as a JSON document. */
export function writeHandoverDiffJson(out: TextSink, { changes, notes }: HandoverDiff): void {
  out(`{\n  "schemaVersion": ${JSON_SCHEMA_VERSION},\n  "kind": "handover-diff",\n  "changes": `);
  writeJsonArray(out, changes, '  ', ({ part, kind, of, field, before, after }) => {
    out(`{"part": "${part}", "kind": "${kind}", "of": [${of.map(jsonString).join(', ')}]`);
    if (field !== '') out(`, "field": ${jsonString(field)}`);
    if (before !== undefined) out(`, "before": ${valueJson(before)}`);
    if (after !== undefined) out(`, "after": ${valueJson(after)}`);
    out('}');
  });
  out(',\n  "notes": ');
  writeJsonArray(out, notes, '  ', ({ kind, text }) =>
    out(`{"kind": "${kind}", "text": ${jsonString(text)}}`),
  );
  out(`,\n  "same": ${changes.length === 0}\n}\n`);
}

function valueJson(value: ComparedValue): string {
  switch (value.kind) {
    case 'text':
    case 'words':
      return jsonString(value.text);
    case 'number':
    case 'hex':
    case 'size':
      return jsonU64(value.value);
    case 'range':
      return `{"address": ${jsonU64(value.address)}, "size": ${jsonU64(value.size)}}`;
    case 'mapping': {
      const flags = mappingFlags(value.bits).map(jsonString).join(', ');
      return `{"phys": ${jsonU64(value.phys)}, "permissions": "${permissionText(value.bits)}", "flags": [${flags}]}`;
    }
  }
}
