// SPDX-License-Identifier: Apache-2.0
// A packed struct for people: one field a line, names in a column, arrays of structs element by element.
import { formatIssue } from '../bytes/issue.js';
import { check } from '../schemas/lang/check.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { MemoryType, StructType } from '../schemas/lang/type.js';
import { type Beside, type DeclaredStyle, declaredText, member } from './declared-text.js';
import { writeHexdump } from './hex-text.js';
import { formatSize } from './size.js';
import type { TextSink } from './text-sink.js';

/** Elements of an array that are shown unless all are. */
const MAX_ELEMENTS = 16;
const NOTHING: Beside = () => undefined;

/**
 * Writes the fields of a blob of native byte order, the rules that it breaks, and how many bytes follow it. Bytes that
 * cannot be laid out are written as a hexdump, with the reason.
 *
 * @param indent - spaces before each line
 */
export function writeStructText(
  out: TextSink,
  layout: MemoryType,
  bytes: Uint8Array,
  style: DeclaredStyle,
  indent: string,
): void {
  const { paint } = style;
  const { value, issues } = check<MemoryType>(layout, bytes, { trailing: true });
  if (value === undefined) writeHexdump(out, bytes, paint, indent);
  else if (layout.kind === 'struct') writeFields(out, layout, value, style, indent);
  else out(`${indent}${declaredText(layout, value, NOTHING, style)}\n`);
  for (const issue of issues) out(`${indent}${paint('error', 'broken rule')}  ${formatIssue(issue)}\n`);
  const after = bytes.length - (sizeOf(layout) ?? bytes.length);
  if (after > 0) out(`${indent}${paint('note', `${formatSize(after)} after the struct`)}\n`);
}

function writeFields(
  out: TextSink,
  layout: StructType,
  value: unknown,
  style: DeclaredStyle,
  indent: string,
): void {
  const { paint } = style;
  const beside: Beside = (name) => member(value, name);
  const shown = Object.entries(layout.fields).filter(
    ([name, field]) => field.kind !== 'reserved' || beside(name) !== undefined,
  );
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  for (const [name, field] of shown) {
    const found = beside(name);
    if (field.kind === 'struct') {
      out(`${indent}${paint('property', name)}\n`);
      writeFields(out, field, found, style, `${indent}  `);
    } else if (field.kind === 'array' && field.of.kind === 'struct' && Array.isArray(found)) {
      writeElements(out, name, field.of, found, style, indent);
    } else {
      out(
        `${indent}${paint('property', name.padEnd(width))}  ${declaredText(field, found, beside, style)}\n`,
      );
    }
  }
}

function writeElements(
  out: TextSink,
  name: string,
  of: StructType,
  elements: readonly unknown[],
  style: DeclaredStyle,
  indent: string,
): void {
  const { paint } = style;
  const most = Number.isFinite(style.limit) ? MAX_ELEMENTS : elements.length;
  elements.slice(0, most).forEach((element, index) => {
    out(`${indent}${paint('property', `${name}[${index}]`)}\n`);
    writeFields(out, of, element, style, `${indent}  `);
  });
  if (elements.length > most)
    out(`${indent}${paint('note', `… ${elements.length - most} more, see --full`)}\n`);
}
