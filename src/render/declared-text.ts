// SPDX-License-Identifier: Apache-2.0
// Values of declared types on one line: units, flags by name, pointers with what they lead to.
import { formatHex, hexBytes } from '../bytes/hex.js';
import { escapeText } from '../bytes/printable.js';
import type {
  ArrayType,
  BitPart,
  GatherType,
  IntegerType,
  MemoryType,
  PointerType,
  StructType,
  UnionType,
} from '../schemas/lang/type.js';
import { families, versionsOf } from '../schemas/registry.js';
import type { Paint } from './paint.js';
import { count, formatSize } from './size.js';

/** How values of declared types are written. */
export interface DeclaredStyle {
  readonly paint: Paint;
  /** At most this many bytes of a value, and elements of an array, are shown; `Infinity` for all. */
  readonly limit: number;
  /** What stands between a pointer and what it leads to; '' leaves that out. */
  readonly arrow: '→' | '->' | '';
}

/** Looks up the value of a field or property beside the one that is written; `$name` is the name of the node. */
export type Beside = (name: string) => unknown;

/** Elements of an array that are shown on one line. */
const LINE_ELEMENTS = 8;

/** A decoded value of `type` on one line, without control characters. */
export function declaredText(type: MemoryType, value: unknown, beside: Beside, style: DeclaredStyle): string {
  const { paint } = style;
  if (value === undefined) return paint('note', 'zeros');
  switch (type.kind) {
    case 'integer':
      return integerText(type, value, paint);
    case 'pointer':
      return pointerText(type, value, beside, style);
    case 'bits': {
      const parts = Object.entries(type.parts).map(
        ([name, part]) => `${name} ${partText(part, member(value, name), paint)}`,
      );
      return `{${parts.join(', ')}}`;
    }
    case 'chars':
    case 'text':
      return paint('string', `"${escapeText(cut(String(value), style.limit)).replace(/"/g, '\\"')}"`);
    case 'bytes':
    case 'reserved':
      return value instanceof Uint8Array ? bytesText(value, style) : '';
    case 'array':
      return arrayText(type, value, beside, style);
    case 'struct':
      return structText(type, value, style);
    case 'union':
      return unionText(type, value, style);
    case 'gather':
      return `${structText(type.descriptor, value, style)}${leadText(gatherNote(type, beside), style)}`;
  }
}

/** The value of a member of a struct or node; `undefined` where there is none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}

function integerText(type: IntegerType, value: unknown, paint: Paint): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return '';
  const number = BigInt(value);
  const { flags, names, unit, bits } = type;
  if (flags !== undefined) return flagsText(flags, number, paint);
  const named = names && Object.entries(names).find(([, each]) => each === number)?.[0];
  const note = named ?? unitText(number, unit);
  const asHex = bits === 64 && (number > 9n || unit === 'bytes');
  const shown = paint('number', asHex ? formatHex(number) : `${number}`);
  if (note !== undefined)
    return asHex || named !== undefined
      ? `${shown} ${paint('note', `(${note})`)}`
      : `${paint('number', note)}`;
  return asHex ? `${shown} ${paint('note', `(${number})`)}` : shown;
}

function unitText(value: bigint, unit: string | undefined): string | undefined {
  if (unit === undefined) return undefined;
  if (unit === 'bytes') return formatSize(value);
  return value === 1n ? `1 ${unit.replace(/s$/, '')}` : `${value} ${unit}`;
}

/** Flags by name, and what is set besides. */
function flagsText(flags: Readonly<Record<string, bigint>>, value: bigint, paint: Paint): string {
  if (value === 0n) return paint('number', '0');
  let rest = value;
  const names: string[] = [];
  for (const [name, bit] of Object.entries(flags)) {
    if (bit === 0n || (value & bit) !== bit) continue;
    names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0n) names.push(`unknown ${formatHex(rest)}`);
  return `${paint('number', formatHex(value))} ${paint('note', `(${names.join(', ')})`)}`;
}

function partText({ flags }: BitPart, value: unknown, paint: Paint): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return '';
  const number = BigInt(value);
  if (flags !== undefined) return flagsText(flags, number, paint);
  return paint('number', number < 10n ? `${number}` : formatHex(number));
}

function pointerText(type: PointerType, value: unknown, beside: Beside, style: DeclaredStyle): string {
  if (typeof value !== 'bigint') return '';
  const { paint } = style;
  const lead = value === 0n ? (type.nullable ? 'nothing' : undefined) : targetNote(type, value, beside);
  const set = Object.entries(type.flags ?? {}).filter(([, bit]) => (value & bit) !== 0n);
  const flags = set.length === 0 ? '' : ` ${paint('note', `(${set.map(([name]) => name).join(', ')})`)}`;
  return `${paint('number', formatHex(value))}${flags}${leadText(lead, style)}`;
}

function leadText(lead: string | undefined, { arrow, paint }: DeclaredStyle): string {
  return lead === undefined || arrow === '' ? '' : ` ${paint('note', `${arrow} ${escapeText(lead)}`)}`;
}

/** What a pointer leads to, in a few words. */
function targetNote({ target, flags }: PointerType, value: bigint, beside: Beside): string | undefined {
  switch (target.to) {
    case 'self':
      return 'the next';
    case 'radix':
      return 'radix tree';
    case 'layout': {
      const { layout, total } = target;
      if (layout.kind === 'node') return 'FDT';
      const what =
        layout.kind === 'struct' ? `struct ${layout.name}` : layout.kind === 'array' ? 'array' : 'value';
      const elements = total === undefined ? undefined : beside(total);
      return typeof elements === 'bigint' ? `${what}, ${elements} in all` : what;
    }
    case 'memory': {
      const length = target.length === undefined ? undefined : beside(target.length);
      if (typeof length !== 'bigint' || length === 0n)
        return target.length === undefined ? 'page' : undefined;
      const low = Object.values(flags ?? {}).reduce((all, bit) => all | bit, 0n);
      return `up to ${formatHex((value & ~low) + length - 1n)}`;
    }
    case 'lookup': {
      const { group, key } = target;
      const name = key === undefined ? undefined : beside(key);
      if (typeof name !== 'string') return families.find(({ lookup }) => lookup?.group === group)?.name;
      const family = families.find(({ lookup }) => lookup?.group === group && lookup.name === name);
      if (family !== undefined) return family.name;
      const version = versionsOf(name).find((each) => each.family.lookup?.group === group);
      return version === undefined ? 'unknown' : version.family.name;
    }
  }
}

function gatherNote(type: GatherType, beside: Beside): string {
  const elements = beside(type.count);
  const known = typeof elements === 'bigint' || typeof elements === 'number' ? `${elements} × ` : '';
  const { of } = type.contents;
  return `${known}${of.kind === 'struct' ? `struct ${of.name}` : of.kind}`;
}

function bytesText(value: Uint8Array, { paint, limit }: DeclaredStyle): string {
  if (value.length === 0) return paint('note', '(empty)');
  const shown = hexBytes(value.subarray(0, Math.min(limit, value.length)), ' ');
  const rest = value.length > limit ? ` ${paint('note', `… ${formatSize(value.length)} in all`)}` : '';
  return `${paint('number', `[${shown}]`)}${rest}`;
}

function arrayText(type: ArrayType, value: unknown, beside: Beside, style: DeclaredStyle): string {
  if (!Array.isArray(value)) return '';
  const most = Number.isFinite(style.limit) ? LINE_ELEMENTS : value.length;
  const shown = value.slice(0, most).map((each: unknown) => declaredText(type.of, each, beside, style));
  const rest =
    value.length > most ? `, ${style.paint('note', `… ${count(value.length, 'element')} in all`)}` : '';
  return `[${shown.join(', ')}${rest}]`;
}

function structText(type: StructType, value: unknown, style: DeclaredStyle): string {
  const beside = (name: string): unknown => member(value, name);
  const fields = Object.entries(type.fields)
    .filter(([name, field]) => field.kind !== 'reserved' || beside(name) !== undefined)
    .map(([name, field]) => `${name} ${declaredText(field, beside(name), beside, style)}`);
  return `{${fields.join(', ')}}`;
}

function unionText(type: UnionType, value: unknown, style: DeclaredStyle): string {
  for (const [name, { type: of }] of Object.entries(type.cases)) {
    const found = member(value, name);
    if (found !== undefined) return `${name} ${structText(of, found, style)}`;
  }
  const raw = member(value, 'raw');
  return raw instanceof Uint8Array ? `raw ${bytesText(raw, style)}` : '';
}

function cut(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
