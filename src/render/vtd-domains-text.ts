// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { Attachment, Domain, DomainTables } from '../vtd/domain.js';
import type { VtdDomains } from '../vtd/domains.js';
import { formatSourceId } from '../vtd/source-id.js';
import type { TableRoot } from '../vtd/walk-result.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { Paint } from './paint.js';
import { count } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';
import { findingTotal, writeFindings } from './vtd-findings.js';

/** Devices that are listed of those that share an entry, and entries that are listed of a domain as text. */
const LISTED = 16;

function deviceNames({ devices }: Attachment): string[] {
  return devices.slice(0, LISTED).map(({ sourceId, segment }) => formatSourceId(sourceId, segment));
}

function attachmentText(attachment: Attachment): string {
  const { devices, pasid } = attachment;
  const more = devices.length > LISTED ? ` and ${devices.length - LISTED} more` : '';
  const suffix = pasid === undefined || pasid === devices[0]?.ridPasid ? '' : ` pasid ${formatHex(pasid)}`;
  return deviceNames(attachment)
    .map((name) => `${name}${suffix}`)
    .join(', ')
    .concat(more);
}

function tableText({ first, second }: DomainTables): string {
  const text = ({ table, levels }: TableRoot): string => `${formatHex(table)}, ${levels} levels`;
  if (first !== undefined && second !== undefined) return `${text(first)}, over ${text(second)}`;
  const only = first ?? second;
  return only === undefined ? 'none' : text(only);
}

/** Writes the domains as a table, the pages that were read, and findings. */
export function writeDomains(out: TextSink, found: VtdDomains, paint: Paint): void {
  const { mode, rootTable, domains, devices, tablePages, findings, findingCounts } = found;
  out(
    `${paint('title', `root table ${formatHex(rootTable)}`)}  ${mode} mode, ${count(devices.length, 'device')}\n`,
  );
  const head = ['domain', 'type', 'width', 'table', 'devices'].map((text): Cell => ({ text, role: 'title' }));
  const rows = domains.map((domain): Cell[] => {
    const { attachments, did, type, widthBits } = domain;
    const listed = attachments.slice(0, LISTED).map(attachmentText).join(', ');
    const more = attachments.length > LISTED ? ` and ${attachments.length - LISTED} more entries` : '';
    return [
      { text: `${did}`, role: 'node' },
      { text: type, role: 'property' },
      { text: widthBits === undefined ? '' : `${widthBits} bits`, role: 'property' },
      { text: tableText(domain), role: 'number' },
      { text: `${listed}${more}`, role: 'property' },
    ];
  });
  if (rows.length > 0) writeTable(out, [head, ...rows], paint, '  ');
  const { root, context, pasidDirectory, pasidTable } = tablePages;
  const pages =
    mode === 'legacy'
      ? `${root.length} root, ${context.length} context`
      : `${root.length} root, ${context.length} context, ${pasidDirectory.length} PASID directory, ${pasidTable.length} PASID`;
  out(`  ${paint('note', `${count(domains.length, 'domain')}; table pages: ${pages}`)}\n`);
  writeFindings(out, findings, findingTotal(findingCounts), paint);
}

/** A page table as members of JSON. */
export function tableJson(root: TableRoot | undefined): object | null {
  return root === undefined ? null : { stage: root.stage, table: root.table, levels: root.levels };
}

function domainJson({ did, type, widthBits, first, second, attachments }: Domain): object {
  return {
    did,
    type,
    width: widthBits ?? null,
    firstStage: tableJson(first),
    secondStage: tableJson(second),
    attachments: attachments.map((attachment) => ({
      devices: deviceNames(attachment),
      more: Math.max(0, attachment.devices.length - LISTED),
      pasid: attachment.pasid ?? null,
      entry: attachment.entry,
    })),
  };
}

/** Frames as addresses. */
export function* frameAddresses(frames: Float64Array): Generator<bigint> {
  for (const frame of frames) yield BigInt(frame) << 12n;
}

/** Writes the same as JSON. */
export function writeDomainsJson(out: TextSink, found: VtdDomains): void {
  const { mode, rootTable, domains, devices, tablePages, findings, findingCounts } = found;
  writeJsonValue(
    out,
    {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'vtd-domains',
      mode,
      root: rootTable,
      devices: devices.map(({ sourceId, segment, rootEntry, contextEntry, ridPasid }) => ({
        device: formatSourceId(sourceId, segment),
        rootEntry,
        contextEntry,
        ridPasid: ridPasid ?? null,
      })),
      domains: domains.map(domainJson),
      pages: Object.fromEntries(
        Object.entries(tablePages).map(([kind, frames]) => [kind, [...frameAddresses(frames)]]),
      ),
      findings: findings.map(({ code, message, address, path }) => ({ code, address, path, message })),
      findingCounts,
    },
    '',
  );
  out('\n');
}
