// SPDX-License-Identifier: Apache-2.0
import type { HandoverCost } from '../kho/cost.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';

/** Writes what a handover costs as a JSON document. */
export function writeCostJson(out: TextSink, file: string, cost: HandoverCost): void {
  const { map, tables, transfer, ...rest } = cost;
  const document = {
    schemaVersion: JSON_SCHEMA_VERSION,
    kind: 'cost',
    file,
    ...rest,
    map: map ?? null,
    tables: tables ?? null,
    transfer: transfer ?? null,
  };
  writeJsonValue(out, document, '');
  out('\n');
}
