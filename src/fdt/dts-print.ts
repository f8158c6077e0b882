// SPDX-License-Identifier: Apache-2.0
import { checkExpressible, type Expressible, LONGEST_DTS_NAME } from './dts-expressible.js';
import { DtsText, guessValueKind, latin1Bytes, TEXT_PER_BYTE, VALUE_OVERHEAD } from './dts-text.js';
import { type Fdt, FdtNode } from './fdt.js';
import { isNameAt } from './name.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from './token.js';

/** Nodes deeper than this are indented as if at this depth: else the text of a deep tree would grow with its square. */
const MAX_INDENT = 32;
/** Size of the pieces of text in bytes. */
const CHUNK = 64 * 1024;
/** Longer values are written in parts of this many bytes, a multiple of 4. */
const PART = 4096;
/** Room for a node or property and a short value. */
const LINE = MAX_INDENT + LONGEST_DTS_NAME + PART * TEXT_PER_BYTE + VALUE_OVERHEAD + 64;

const TAB = 0x09;
const NEWLINE = 0x0a;
const SEMICOLON_NEWLINE: Uint8Array = latin1Bytes(';\n');
const EQUALS: Uint8Array = latin1Bytes(' = ');
const OPEN: Uint8Array = latin1Bytes(' {\n');
const CLOSE: Uint8Array = latin1Bytes('};\n');
const ROOT: Uint8Array = latin1Bytes('/');

/**
 * A blob as devicetree source, in one piece. See {@link dtsChunks}.
 *
 * @returns ASCII text
 * @throws FdtError as {@link dtsChunks}
 */
export function printDts(fdt: Fdt): Uint8Array {
  const chunks = [...dtsChunks(fdt)];
  const text = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    text.set(chunk, at);
    at += chunk.length;
  }
  return text;
}

/**
 * A blob as devicetree source in pieces of up to 64 KiB, in time linear in the blob. dtc makes the same bytes of the
 * text as of the blob itself (`dtc -I dtb -O dtb`), and so do `parseDts` and `encodeFdt`: the blob again, if dtc made
 * it with default options.
 *
 * Values look as in dtc 1.6.1's own output, but that strings of a list are written one by one (`"a", "b"`): dtc's
 * `"a\01"` for the strings `a` and `1` would be read back as one. Nodes below depth 32 are not indented any further. A
 * boot CPU other than the one dtc would guess has no place in a source; a comment tells the option that restores it.
 *
 * @throws FdtError before the first piece: BADVALUE for a name that a source cannot have (bad characters, none at all,
 * more than 4096 bytes), EXISTS for a second property or child of the same name, both with the path; BADSTRUCTURE and
 * others for damage
 */
export function* dtsChunks(fdt: Fdt): Generator<Uint8Array<ArrayBuffer>, void> {
  const { bytes, nodes } = fdt;
  const expressible = checkExpressible(fdt);
  const text = new DtsText(CHUNK);
  text.copy(latin1Bytes(`/dts-v1/;\n${bootCpuidNote(fdt)}\n`));
  for (const { address, size } of fdt.reservations) {
    if (!text.hasRoom(LINE)) yield text.take();
    const [from, length] = [address, size].map((value) => `0x${value.toString(16).padStart(16, '0')}`);
    text.copy(latin1Bytes(`/memreserve/\t${from} ${length};\n`));
  }

  const { late } = expressible;
  const writer = new PropertyWriter(fdt, expressible, text);
  const cursor = fdt.cursor();
  const isOld = fdt.bounds.version < 16;
  let row = -1;
  let last = -1;
  let depth = 0;
  for (let tag = cursor.next(); tag !== FDT_END; tag = cursor.next()) {
    if (!text.hasRoom(LINE)) yield text.take();
    const indent = Math.min(depth, MAX_INDENT);
    if (tag === FDT_PROP) {
      // Those after a child have been written before it.
      if (last !== row) continue;
      if (writer.write(cursor.nameoff, cursor.valueStart, cursor.valueLength, indent)) continue;
      yield* writer.parts(cursor.valueStart, cursor.valueLength);
    } else if (tag === FDT_BEGIN_NODE) {
      if (last === row) {
        for (const offset of late.get(row) ?? []) {
          const property = fdt.cursor(offset);
          property.next();
          const { nameoff, valueStart, valueLength } = property;
          if (!text.hasRoom(LINE)) yield text.take();
          if (!writer.write(nameoff, valueStart, valueLength, indent)) {
            yield* writer.parts(valueStart, valueLength);
          }
        }
        if (!text.hasRoom(LINE)) yield text.take();
      }
      row = ++last;
      if (depth === 0) {
        text.copy(ROOT);
      } else {
        text.byte(NEWLINE);
        text.repeat(TAB, indent);
        const { nameEnd } = cursor;
        let { nameStart } = cursor;
        if (isOld) nameStart = bytes.subarray(0, nameEnd).lastIndexOf(0x2f) + 1;
        text.copy(bytes, nameStart, nameEnd);
      }
      text.copy(OPEN);
      depth++;
    } else if (tag === FDT_END_NODE) {
      depth--;
      text.repeat(TAB, Math.min(depth, MAX_INDENT));
      text.copy(CLOSE);
      row = nodes.parent[row] ?? -1;
    }
  }
  yield text.take();
}

/** Writes properties. */
class PropertyWriter {
  readonly #bytes: Uint8Array;
  readonly #names: Expressible['names'];
  readonly #text: DtsText;

  constructor(fdt: Fdt, { names }: Expressible, text: DtsText) {
    this.#bytes = fdt.bytes;
    this.#names = names;
    this.#text = text;
  }

  /** Writes a property, there being room for a {@link LINE}; of a long value nothing yet, which is answered with false. */
  write(nameoff: number, start: number, length: number, indent: number): boolean {
    const text = this.#text;
    const names = this.#names;
    const bytes = this.#bytes;
    text.repeat(TAB, indent);
    text.copy(names.bytes[names.id(nameoff)] ?? ROOT);
    if (length > 0) {
      text.copy(EQUALS);
      if (length > PART) return false;
      const end = start + length;
      const kind = guessValueKind(bytes, start, end);
      text.open(kind);
      text.part(kind, bytes, start, end, end);
    }
    text.copy(SEMICOLON_NEWLINE);
    return true;
  }

  /** Writes a long value. */
  *parts(start: number, length: number): Generator<Uint8Array<ArrayBuffer>, void> {
    const text = this.#text;
    const bytes = this.#bytes;
    const end = start + length;
    const kind = guessValueKind(bytes, start, end);
    text.open(kind);
    for (let at = start; at < end; at += PART) {
      if (!text.hasRoom(LINE)) yield text.take();
      text.part(kind, bytes, at, Math.min(at + PART, end), end);
    }
    text.copy(SEMICOLON_NEWLINE);
  }
}

/** A comment with the boot CPU, when dtc would guess another one from the tree; otherwise ''. */
function bootCpuidNote(fdt: Fdt): string {
  const cpu = fdt.header.boot_cpuid_phys;
  return cpu === guessBootCpuid(fdt)
    ? ''
    : `// boot_cpuid_phys is ${cpu}, which a source cannot say: dtc -b ${cpu}\n`;
}

/** `reg` of the first node in `/cpus`, when it is one cell; otherwise 0. */
function guessBootCpuid(fdt: Fdt): number {
  const { bytes, nodes } = fdt;
  const end = nodes.next[0] ?? 0;
  const name = fdt.bounds.version < 16 ? '/cpus' : 'cpus';
  let row = 1;
  while (row < end && !isNameAt(bytes, (nodes.offset[row] ?? 0) + 4, bytes.length, name)) {
    row = nodes.next[row] ?? end;
  }
  if (row >= end) return 0;
  const [cpu] = new FdtNode(fdt, row).children();
  const value = cpu?.property('reg')?.value;
  return value?.length === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0) : 0;
}
