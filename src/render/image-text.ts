// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type { LocateResult } from '../kho/locate.js';
import { jsonString, jsonU64, writeJsonArray } from './json-text.js';
import type { Paint } from './paint.js';
import { count, formatRange, formatSize } from './size.js';
import type { TextSink } from './text-sink.js';

/** What is to be told about a memory image. */
export interface ImageInfo {
  readonly file: string;
  readonly format: string;
  readonly flattened: boolean;
  readonly machine: string | undefined;
  readonly io: string;
  readonly fileSize: number;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly remarks: readonly string[];
  readonly pages: { readonly present: number; readonly excluded: number };
  /** The first ranges, by ascending address. */
  readonly ranges: readonly { readonly start: bigint; readonly end: bigint; readonly state: string }[];
  /** True when there are more ranges than these. */
  readonly more: boolean;
}

const PAGE_BYTES = 4096n;
const LABEL_WIDTH = 17;

/** Writes what is known about an image, for people: what it is, its ranges, and the holes between them. */
export function writeImageInfo(out: TextSink, info: ImageInfo, paint: Paint): void {
  const row = (label: string, value: string | number): void => {
    out(`  ${label.padEnd(LABEL_WIDTH)} ${escapeText(String(value))}\n`);
  };
  const pageSize = (pages: number): string => `${pages} (${formatSize(BigInt(pages) * PAGE_BYTES)})`;
  out(`${paint('title', escapeText(info.file))}\n`);
  row('format', info.flattened ? `${info.format}, flattened` : info.format);
  row('machine', info.machine ?? 'not named in the file');
  row('file size', formatSize(info.fileSize));
  row('access', info.io);
  for (const [label, value] of Object.entries(info.facts)) row(label, value);
  row('pages', pageSize(info.pages.present));
  if (info.pages.excluded > 0) row('excluded pages', pageSize(info.pages.excluded));
  out('  memory\n');
  const width = Math.max(...info.ranges.map(({ end }) => formatHex(end).length), 0);
  let last: bigint | undefined;
  for (const { start, end, state } of info.ranges) {
    if (last !== undefined && last < start) {
      out(`    ${paint('note', `${formatRange(last, start - last, width)} hole`)}\n`);
    }
    out(`    ${formatRange(start, end - start, width)}${state === 'present' ? '' : ` ${state}`}\n`);
    last = end;
  }
  if (info.more) out('    … (--ranges N shows more)\n');
  for (const remark of info.remarks) out(`  ${paint('note', `note: ${escapeText(remark)}`)}\n`);
}

/** Writes the same as a JSON object; addresses are strings. */
export function writeImageInfoJson(out: TextSink, info: ImageInfo, indent: string): void {
  const member = (name: string, value: string): void => out(`${indent}  ${jsonString(name)}: ${value},\n`);
  out('{\n');
  member('file', jsonString(info.file));
  member('format', jsonString(info.format));
  member('flattened', String(info.flattened));
  member('machine', info.machine === undefined ? 'null' : jsonString(info.machine));
  member('io', jsonString(info.io));
  member('fileSize', String(info.fileSize));
  const facts = Object.entries(info.facts).map(
    ([label, value]) => `${jsonString(label)}: ${typeof value === 'number' ? value : jsonString(value)}`,
  );
  member('facts', `{${facts.join(', ')}}`);
  member('remarks', `[${info.remarks.map(jsonString).join(', ')}]`);
  member('pages', `{"present": ${info.pages.present}, "excluded": ${info.pages.excluded}}`);
  member('more', String(info.more));
  out(`${indent}  "ranges": `);
  writeJsonArray(out, info.ranges, `${indent}  `, ({ start, end, state }) => {
    out(`{"start": ${jsonU64(start)}, "end": ${jsonU64(end)}, "state": ${jsonString(state)}}`);
  });
  out(`\n${indent}}`);
}

/** Writes what a search for handovers found, for people. */
export function writeLocated(out: TextSink, found: LocateResult, paint: Paint): void {
  for (const { address, size, compatible } of found.fdts) {
    const names = compatible.map((name) => paint('string', escapeText(name))).join(', ');
    out(`${formatHex(address)}: device tree ${names} (${count(size, 'byte')})\n`);
  }
  for (const { address, reason } of found.damaged) {
    out(`${formatHex(address)}: ${paint('error', 'damaged')} device tree: ${escapeText(reason)}\n`);
  }
  for (const entry of found.setupData) {
    const { state, bootParams, address, fdtAddress, fdtSize, scratchAddress, scratchSize } = entry;
    const place = state === 'staged' ? 'not yet in its place, with' : 'in the chain of';
    out(
      `${formatHex(address)}: setup_data SETUP_KEXEC_KHO ${place} boot_params at ${formatHex(bootParams)}\n`,
    );
    out(`  device tree ${formatRange(fdtAddress, fdtSize)}\n`);
    out(`  scratch     ${formatRange(scratchAddress, scratchSize)}\n`);
  }
  for (const { bootParams, reason } of found.brokenChains) {
    out(`${formatHex(bootParams)}: boot_params whose setup_data chain breaks off: ${escapeText(reason)}\n`);
  }
  if (found.otherFdts > 0) {
    out(paint('note', `${count(found.otherFdts, 'other page')} with the magic of a device tree\n`));
  }
}

/** Writes the same as members of a JSON object, without braces. */
export function writeLocatedJson(out: TextSink, found: LocateResult, indent: string): void {
  const list = <T>(name: string, items: readonly T[], text: (item: T) => string): void => {
    out(`${indent}${jsonString(name)}: `);
    writeJsonArray(out, items, indent, (item) => out(`{${text(item)}}`));
    out(',\n');
  };
  list('fdts', found.fdts, ({ address, size, compatible }) => {
    const names = compatible.map(jsonString).join(', ');
    return `"address": ${jsonU64(address)}, "size": ${size}, "compatible": [${names}]`;
  });
  list(
    'damaged',
    found.damaged,
    ({ address, reason }) => `"address": ${jsonU64(address)}, "reason": ${jsonString(reason)}`,
  );
  list('setupData', found.setupData, ({ state, length, ...addresses }) => {
    const members = Object.entries(addresses).map(
      ([name, value]) => `${jsonString(name)}: ${jsonU64(value)}`,
    );
    return [`"state": ${jsonString(state)}`, `"length": ${length}`, ...members].join(', ');
  });
  list(
    'brokenChains',
    found.brokenChains,
    ({ bootParams, reason }) => `"bootParams": ${jsonU64(bootParams)}, "reason": ${jsonString(reason)}`,
  );
  out(`${indent}"otherFdts": ${found.otherFdts}`);
}
