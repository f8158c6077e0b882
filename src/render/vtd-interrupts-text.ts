// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { REMAPPED_INTERRUPT } from '../vtd/abi/interrupt-entries.js';
import { type Interrupt, type InterruptTable, interruptSource } from '../vtd/interrupts.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { Paint } from './paint.js';
import { count } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';
import { writeFindings } from './vtd-findings.js';

function targetText(interrupt: Interrupt): string {
  if (interrupt.kind === 'posted') {
    return `descriptor ${formatHex(interrupt.descriptor)}${interrupt.values.URG ? ', urgent' : ''}`;
  }
  const { DM, DLM, TM } = interrupt.values;
  const { fields } = REMAPPED_INTERRUPT;
  const delivery = fields.DLM.names?.[DLM] ?? `delivery mode ${DLM}`;
  return `${fields.DM.names?.[DM]} APIC ${formatHex(interrupt.destination)}, ${delivery}, ${fields.TM.names?.[TM]}`;
}

/** Writes the present entries as a table, and findings. */
export function writeInterrupts(out: TextSink, found: InterruptTable, paint: Paint): void {
  const { table, entries, extended, interrupts, findings } = found;
  const mode = extended ? 'x2APIC' : 'xAPIC';
  const title = `interrupt-remapping table ${formatHex(table)}`;
  out(`${paint('title', title)}  ${entries} entries, ${interrupts.length} present, ${mode}\n`);
  const head = ['entry', 'kind', 'source', 'vector', 'goes to'].map(
    (text): Cell => ({ text, role: 'title' }),
  );
  const rows = interrupts.map((interrupt): Cell[] => [
    { text: `${interrupt.index}`, role: 'node' },
    { text: interrupt.kind, role: 'property' },
    { text: interruptSource(interrupt), role: 'property' },
    { text: formatHex(interrupt.values.V), role: 'number' },
    { text: targetText(interrupt), role: 'property' },
  ]);
  if (rows.length > 0) writeTable(out, [head, ...rows], paint, '  ');
  writeFindings(out, findings, findings.length, paint);
  if (findings.length > 0) out(`  ${paint('note', count(findings.length, 'finding'))}\n`);
}

/** Writes the same as JSON. */
export function writeInterruptsJson(out: TextSink, found: InterruptTable): void {
  const { table, entries, extended, interrupts, findings } = found;
  writeJsonValue(
    out,
    {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'vtd-irt',
      table,
      entries,
      x2apic: extended,
      interrupts: interrupts.map((interrupt) => ({
        index: interrupt.index,
        address: interrupt.address,
        kind: interrupt.kind,
        source: interruptSource(interrupt),
        ...(interrupt.kind === 'posted'
          ? { descriptor: interrupt.descriptor }
          : { destination: interrupt.destination }),
        fields: interrupt.values,
      })),
      findings,
    },
    '',
  );
  out('\n');
}
