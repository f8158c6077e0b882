// SPDX-License-Identifier: Apache-2.0
import type { FdtCursor } from '../cursor.js';
import { type Fdt, FdtNode } from '../fdt.js';
import { isNameAt } from '../name.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_PROP } from '../token.js';
import { checkExpressible, type Expressible, LONGEST_DTS_NAME } from './expressible.js';
import {
  DtsText,
  type DtsValueKind,
  guessValueKind,
  latin1Bytes,
  TEXT_PER_BYTE,
  VALUE_OVERHEAD,
} from './text.js';

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
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { openFdt, printDts } from 'kho-toolkit/fdt';
 *
 * const source = printDts(openFdt(readFileSync('fixtures/kernel-7.3.4/kho-fdt.dtb')));
 * console.log(new TextDecoder().decode(source));
 * ```
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
  const expressible = checkExpressible(fdt);
  const text = new DtsText(CHUNK);
  text.copy(latin1Bytes(`/dts-v1/;\n${bootCpuidNote(fdt)}\n`));
  for (const { address, size } of fdt.reservations) {
    if (!text.hasRoom(LINE)) yield text.take();
    const [from, length] = [address, size].map((value) => `0x${value.toString(16).padStart(16, '0')}`);
    text.copy(latin1Bytes(`/memreserve/\t${from} ${length};\n`));
  }
  const printer = new TreePrinter(fdt, expressible, text);
  while (!printer.fill()) yield text.take();
  yield text.take();
}

/** Writes the nodes. Apart from the generator, whose long life would keep V8 from compiling the loop. */
class TreePrinter {
  readonly #fdt: Fdt;
  readonly #expressible: Expressible;
  readonly #text: DtsText;
  readonly #cursor: FdtCursor;
  /** The row of the open node, and of the node opened last. */
  #row = -1;
  #last = -1;
  #depth = 0;
  /** The rest of a value that did not fit into one buffer; none while `#valueAt` is `#valueEnd`. */
  #valueKind: DtsValueKind = 'bytes';
  #valueAt = 0;
  #valueEnd = 0;
  /** Offsets of properties after a child that are to be written before it, the next one last. */
  #late: number[] = [];
  /** The row whose late properties have been written. */
  #lateRow = -1;

  constructor(fdt: Fdt, expressible: Expressible, text: DtsText) {
    this.#fdt = fdt;
    this.#expressible = expressible;
    this.#text = text;
    this.#cursor = fdt.cursor();
  }

  /**
   * Writes until the buffer is full or all is written.
   *
   * @returns whether all is written
   */
  fill(): boolean {
    const text = this.#text;
    const cursor = this.#cursor;
    const { nodes } = this.#fdt;
    let row = this.#row;
    let last = this.#last;
    let depth = this.#depth;
    let isDone = false;
    while (!isDone && text.hasRoom(LINE)) {
      if (this.#valueAt < this.#valueEnd) {
        this.#writePart();
        continue;
      }
      const indent = Math.min(depth, MAX_INDENT);
      if (this.#late.length > 0) {
        this.#writeLate(indent);
        continue;
      }
      const tag = cursor.next();
      if (tag === FDT_PROP) {
        // Those after a child have been written before it.
        if (last === row) this.#writeProperty(cursor, indent);
      } else if (tag === FDT_BEGIN_NODE) {
        if (last === row && this.#findLate(row)) continue;
        row = ++last;
        this.#openNode(cursor, depth, indent);
        depth++;
      } else if (tag === FDT_END_NODE) {
        depth--;
        text.repeat(TAB, Math.min(depth, MAX_INDENT));
        text.copy(CLOSE);
        row = nodes.parent[row] ?? -1;
      } else {
        isDone = tag === FDT_END;
      }
    }
    this.#row = row;
    this.#last = last;
    this.#depth = depth;
    return isDone;
  }

  #openNode(cursor: FdtCursor, depth: number, indent: number): void {
    const text = this.#text;
    if (depth === 0) {
      text.copy(ROOT);
    } else {
      const { bytes, bounds } = this.#fdt;
      const { nameEnd } = cursor;
      let { nameStart } = cursor;
      // A path before version 16; only the root's has to have a slash.
      if (bounds.version < 16) nameStart += bytes.subarray(nameStart, nameEnd).lastIndexOf(0x2f) + 1;
      text.byte(NEWLINE);
      text.repeat(TAB, indent);
      text.copy(bytes, nameStart, nameEnd);
    }
    text.copy(OPEN);
  }

  /** Writes the property at the cursor; of a long value nothing yet but what stands before it. */
  #writeProperty(cursor: FdtCursor, indent: number): void {
    const text = this.#text;
    const { names } = this.#expressible;
    const { bytes } = this.#fdt;
    text.repeat(TAB, indent);
    text.copy(names.bytes[names.id(cursor.nameoff)] ?? ROOT);
    const length = cursor.valueLength;
    if (length > 0) {
      const start = cursor.valueStart;
      const end = start + length;
      const kind = guessValueKind(bytes, start, end);
      text.copy(EQUALS);
      text.open(kind);
      if (length > PART) {
        this.#valueKind = kind;
        this.#valueAt = start;
        this.#valueEnd = end;
        return;
      }
      text.part(kind, bytes, start, end, end);
    }
    text.copy(SEMICOLON_NEWLINE);
  }

  #writePart(): void {
    const text = this.#text;
    const end = this.#valueEnd;
    const to = Math.min(this.#valueAt + PART, end);
    text.part(this.#valueKind, this.#fdt.bytes, this.#valueAt, to, end);
    this.#valueAt = to;
    if (to === end) text.copy(SEMICOLON_NEWLINE);
  }

  /** Before the first child of a node with properties after one: steps back so that they are written first. */
  #findLate(row: number): boolean {
    const offsets = this.#expressible.late.get(row);
    if (offsets === undefined || this.#lateRow === row) return false;
    this.#lateRow = row;
    this.#late = offsets.toReversed();
    this.#cursor.nextOffset = this.#cursor.offset;
    return true;
  }

  #writeLate(indent: number): void {
    const property = this.#fdt.cursor(this.#late.pop());
    property.next();
    this.#writeProperty(property, indent);
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
