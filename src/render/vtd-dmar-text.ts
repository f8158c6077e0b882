// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import { DMAR_HEADER, DMAR_STRUCTURES } from '../vtd/abi/dmar-structures.js';
import type { DeviceScope, DmarStructure, DmarTable } from '../vtd/dmar.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { Paint } from './paint.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';
import { writeFindings } from './vtd-findings.js';
import { fieldsText } from './vtd-path-text.js';

function scopePath({ values, path }: DeviceScope): string {
  const bus = values.startBus.toString(16).padStart(2, '0');
  return `${bus}:${path.map((step) => `${step.device.toString(16).padStart(2, '0')}.${step.function}`).join('/')}`;
}

function scopeText(scope: DeviceScope): string {
  const { kind, values } = scope;
  const named = values.enumerationId === 0 ? '' : `, id ${formatHex(values.enumerationId)}`;
  return `${kind ?? `type ${values.type}`} ${scopePath(scope)}${named}`;
}

function structureText({ type, fields, acpiPath }: DmarStructure): string {
  const { type: _, length: __, ...rest } = fields;
  const path = acpiPath === undefined ? '' : `, path ${acpiPath}`;
  return `${fieldsText(DMAR_STRUCTURES[type]?.record, rest)}${path}`;
}

/** Writes a DMAR table: header, structures with their devices, and findings. */
export function writeDmar(out: TextSink, table: DmarTable, paint: Paint): void {
  const { header, hostBits, structures, findings } = table;
  const { signature: _, width: __, checksum: ___, ...rest } = header;
  out(
    `${paint('title', 'DMAR')}  ${hostBits}-bit physical addresses, ${escapeText(fieldsText(DMAR_HEADER, rest))}\n`,
  );
  for (const structure of structures) {
    const name = structure.name ?? `type ${structure.type}`;
    out(`  ${paint('node', name.padEnd(6))}  ${escapeText(structureText(structure))}\n`);
    for (const scope of structure.scopes) out(`          ${escapeText(scopeText(scope))}\n`);
  }
  writeFindings(out, findings, findings.length, paint);
}

/** Writes the same as JSON. */
export function writeDmarJson(out: TextSink, table: DmarTable): void {
  const { header, hostBits, structures, findings } = table;
  writeJsonValue(
    out,
    {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'vtd-dmar',
      hostBits,
      header,
      structures: structures.map(({ offset, type, length, name, fields, scopes, acpiPath }) => ({
        name: name ?? null,
        offset,
        type,
        length,
        fields,
        scopes: scopes.map((scope) => ({
          kind: scope.kind ?? null,
          type: scope.values.type,
          enumerationId: scope.values.enumerationId,
          flags: scope.values.flags,
          path: scopePath(scope),
        })),
        acpiPath: acpiPath ?? null,
      })),
      findings,
    },
    '',
  );
  out('\n');
}
