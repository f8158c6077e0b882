// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import type { HandoverCost, TableCost } from '../kho/cost.js';
import type { MapCost } from '../kho/map-cost.js';
import type { TransferCost } from '../kho/transfer-cost.js';
import type { Paint } from './paint.js';
import { count, formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

const PAGE = 4096;

/** Writes what a handover costs for people: a table of counts and bytes. */
export function writeCost(out: TextSink, file: string, cost: HandoverCost, paint: Paint): void {
  const { consumers, map, files, sessions, areas, tables, transfer, rootBytes, readPages } = cost;
  const rows: Cell[][] = [];
  const row = (what: string, number: string, size: string, note = ''): void => {
    rows.push([
      { text: what, role: 'property' },
      { text: number, role: 'number' },
      { text: size, role: 'number' },
      { text: note, role: 'note' },
    ]);
  };
  const heading = (text: string): void => {
    if (rows.length > 0) rows.push([]);
    rows.push([{ text, role: 'title' }]);
  };
  heading('what the next kernel reads');
  row('root FDT', '1', formatSize(rootBytes));
  for (const { name, layout, blobBytes, objects, objectBytes } of consumers) {
    row(`/${name}`, '1', formatSize(blobBytes), layout ?? 'no layout is declared for it');
    if (objects > 0) row(`/${name}, structs`, `${objects}`, formatSize(objectBytes));
  }
  if (map !== undefined) mapRows(map, row);
  row('all of it', count(readPages, 'page'), formatSize(readPages * PAGE));
  heading('what it preserves');
  if (map !== undefined)
    for (const { order, blocks } of map.byOrder)
      row(`blocks of order ${order}`, `${blocks}`, formatSize(BigInt(blocks) << BigInt(order + 12)));
  if (map !== undefined) row('all blocks', count(map.runs, 'run'), formatSize(map.preservedPages * PAGE));
  row('sessions', `${sessions}`, '');
  for (const { compatible, files: number, bytes, folioEntries, folioEntryBytes } of files) {
    row(`files, ${escapeText(compatible)}`, `${number}`, formatSize(bytes));
    if (folioEntries > 0) row('  folio entries', `${folioEntries}`, formatSize(folioEntryBytes));
  }
  if (areas.ioases > 0) row('areas', `${areas.areas}`, '', `of ${count(areas.ioases, 'address space')}`);
  if (tables !== undefined) {
    heading('page tables to check');
    tableRows(tables, row);
  }
  if (transfer !== undefined) {
    heading('bytes that I/O address spaces take');
    transferRows(transfer, row);
  }
  out(`${paint('title', escapeText(file))}\n`);
  writeTable(out, rows, paint, '  ');
}

type Row = (what: string, number: string, size: string, note?: string) => void;

function mapRows({ form, pages, levels }: MapCost, row: Row): void {
  row(`map of preserved memory, ${form}`, count(pages, 'page'), formatSize(pages * PAGE));
  for (const { level, nodes, used, capacity } of levels) {
    const what = level === 0 ? '  leaves' : `  tables of level ${level}`;
    const share =
      capacity === 0
        ? ''
        : `${used} of ${capacity} ${level === 0 ? 'bits' : 'entries'}, ${percent(used, capacity)}`;
    row(what, `${nodes}`, formatSize(nodes * PAGE), share);
  }
}

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(2)} %`;
}

function tableRows({ domains, unread, pages, leaves, mappedBytes, devicePages }: TableCost, row: Row): void {
  if (devicePages > 0)
    row('root, context and PASID tables', count(devicePages, 'page'), formatSize(devicePages * PAGE));
  for (let level = pages.length; level > 0; level--) {
    const tables = pages[level - 1] ?? 0;
    row(`tables of level ${level}`, count(tables, 'page'), formatSize(tables * PAGE));
  }
  if (domains > 0)
    row('entries that map memory', `${leaves}`, formatSize(mappedBytes), `of ${count(domains, 'domain')}`);
  if (unread > 0) row('domains not walked', `${unread}`, '');
}

function transferRows({ serialised, ioctls, log }: TransferCost, row: Row): void {
  row('serialised, values alone', '', formatSize(serialised.fields));
  row('serialised, as encoded', '', formatSize(serialised.encoded));
  const calls = ioctls.reduce((sum, each) => sum + each.calls, 0);
  const bytes = ioctls.reduce((sum, each) => sum + each.bytes, 0);
  row('ioctls made again', count(calls, 'call'), formatSize(bytes), 'the least that make the same again');
  for (const each of ioctls) row(`  ${each.macro}`, `${each.calls}`, formatSize(each.bytes));
  const total = log.recordBytes + log.payloadBytes;
  row(
    'ioctl log replayed',
    count(log.records, 'record'),
    formatSize(total),
    'the same calls and the opening of files',
  );
}
