// SPDX-License-Identifier: Apache-2.0
// One address on its way through all tables, and the tables of one device.
import { formatHex } from '../bytes/hex.js';
import type { BitRecord } from '../vtd/bit-record.js';
import type { DeviceFault, DevicePath, DeviceStep, FieldValue } from '../vtd/device-path.js';
import { permissionText } from '../vtd/extents.js';
import type { Translation, TranslationStep } from '../vtd/translation.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { Paint } from './paint.js';
import { formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';
import { flagNames } from './vtd-extents.js';

/** Fields of an entry in a line: flags that are set, numbers and addresses that are not 0. */
export function fieldsText(
  record: BitRecord | undefined,
  fields: Readonly<Record<string, FieldValue>>,
): string {
  const words = Object.entries(fields).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [name] : [];
    if (typeof value === 'string') return value === '' ? [] : [`${name} ${value}`];
    const field = record?.fields[name];
    const text = field?.kind === 'number' ? field.names?.[Number(value)] : undefined;
    if (Number(value) === 0 && text === undefined) return [];
    return [`${name} ${formatHex(value)}${text === undefined ? '' : ` (${text})`}`];
  });
  return words.join(', ');
}

/** The words of an entry as the kernel prints them: the last one first. */
function entryText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const words: string[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) words.unshift(formatHex(view.getBigUint64(at, true)));
  while (words.length > 1 && words[0] === '0x0') words.shift();
  return words.join(':');
}

function deviceRow({ record, address, bytes, fields }: DeviceStep): Cell[] {
  return [
    { text: record.name, role: 'property' },
    { text: formatHex(address), role: 'note' },
    { text: entryText(bytes), role: 'number' },
    { text: fieldsText(record, fields), role: 'property' },
  ];
}

function stepRow({ stage, level, index, address, entry, record, fields }: TranslationStep): Cell[] {
  return [
    { text: `${stage}-stage level ${level} [${index}]`, role: 'property' },
    { text: formatHex(address), role: 'note' },
    { text: formatHex(entry), role: 'number' },
    { text: record === undefined ? 'not present' : fieldsText(record, fields), role: 'property' },
  ];
}

/** Writes what became of an address, and every entry on its way. */
export function writeTranslation(
  out: TextSink,
  translation: Translation,
  device: DevicePath | undefined,
  paint: Paint,
): void {
  const { iova, phys, bits, pageSize, steps, fault } = translation;
  const flags = flagNames(bits).join(' ');
  const what =
    fault === undefined
      ? `${paint('number', formatHex(phys ?? 0n))}  ${permissionText(bits)}, ${formatSize(pageSize)} page${flags === '' ? '' : `, ${flags}`}`
      : `${paint('error', fault.code)} in the ${fault.stage} stage: ${fault.message}`;
  out(`${paint('title', formatHex(iova))} -> ${what}\n`);
  writeTable(out, [...(device?.steps ?? []).map(deviceRow), ...steps.map(stepRow)], paint, '  ');
}

/** Writes how far a device's entries lead where they do not lead to page tables. */
export function writeDevicePath(out: TextSink, { steps }: DevicePath, paint: Paint): void {
  writeTable(out, steps.map(deviceRow), paint, '  ');
}

/** Why a device gets no further, in a line. */
export function deviceFaultText({ code, message, address }: DeviceFault): string {
  return `${formatHex(address)}: ${code}: ${message}`;
}

/** Writes the same as JSON; `translation` is left out where there are no page tables to look into. */
export function writeTranslationJson(
  out: TextSink,
  iova: bigint,
  translation: Translation | undefined,
  device: DevicePath | undefined,
): void {
  const fault = device?.fault ?? translation?.fault;
  const ok = fault === undefined;
  const steps = [
    ...(device?.steps ?? []).map(({ record, address, bytes, fields }) => ({
      what: record.name,
      address,
      entry: bytes,
      fields,
    })),
    ...(translation?.steps ?? []).map(({ stage, level, index, address, input, entry, record, fields }) => ({
      what: record?.name ?? 'not present',
      stage,
      level,
      index,
      address,
      input,
      entry,
      fields,
    })),
  ];
  writeJsonValue(
    out,
    {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'vtd-translate',
      iova,
      phys: ok ? (translation?.phys ?? null) : null,
      pageSize: ok ? (translation?.pageSize ?? null) : null,
      perm: ok && translation !== undefined ? permissionText(translation.bits) : null,
      flags: ok && translation !== undefined ? flagNames(translation.bits) : [],
      steps,
      fault: fault === undefined ? null : { code: fault.code, message: fault.message },
    },
    '',
  );
  out('\n');
}
