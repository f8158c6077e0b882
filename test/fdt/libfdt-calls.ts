// SPDX-License-Identifier: Apache-2.0
// Scripts of libfdt calls: their binary form (which test/oracle/libfdt-calls.c reads and describes), what libfdt answers
// and what FdtWriter and FdtEditor do for the same calls.
import { execFileSync } from 'node:child_process';
import { decodeLatin1 } from '../../src/bytes/latin1.js';
import { FdtEditor } from '../../src/fdt/editor.js';
import { FDT_ERRORS, FdtError } from '../../src/fdt/error.js';
import { FdtWriter } from '../../src/fdt/writer.js';

/** The calls by libfdt's names, and their numbers in the binary form. */
const OPS = {
  create: 1,
  add_reservemap_entry: 2,
  finish_reservemap: 3,
  begin_node: 4,
  property: 5,
  end_node: 6,
  finish: 7,
  create_empty_tree: 16,
  open_into: 17,
  reopen: 18,
  add_subnode: 19,
  setprop: 20,
  appendprop: 21,
  setprop_inplace: 22,
  delprop: 23,
  nop_property: 24,
  del_node: 25,
  nop_node: 26,
  set_name: 27,
  add_mem_rsv: 28,
  del_mem_rsv: 29,
  pack: 30,
  path_offset: 31,
  open_in_place: 32,
} as const;

export type Op = keyof typeof OPS;

/** One call. Which fields matter depends on `op`; `node` is a path or a structure offset. */
export interface Call {
  readonly op: Op;
  readonly node?: string | number;
  readonly name?: string;
  readonly value?: Uint8Array;
  readonly a?: number;
  readonly b?: number;
}

/** Calls on one buffer of `size` bytes, all zero at first. */
export interface Script {
  readonly size: number;
  readonly calls: readonly Call[];
}

/** What came of a script: each call's result (an offset, 0 or a negative FDT_ERR_ number) and the buffer at the end. */
export interface Outcome {
  readonly results: readonly number[];
  /** `undefined` when there is nothing to compare, since the tree was never made. */
  readonly buffer: Uint8Array | undefined;
}

const EMPTY = new Uint8Array(0);

/** Scripts in binary form. */
export function encodeScripts(scripts: readonly Script[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const words = (...values: number[]): void => {
    parts.push(new Uint8Array(Uint32Array.from(values).buffer));
  };
  for (const { size, calls } of scripts) {
    words(size, calls.length);
    for (const { op, node, name = '', value = EMPTY, a = 0, b = 0 } of calls) {
      const byOffset = typeof node === 'number';
      const text = typeof node === 'string' ? `${node}\0${name}` : name;
      words(OPS[op], byOffset ? node : a, b, byOffset ? 1 : 0, text.length);
      parts.push(Buffer.from(text, 'latin1'));
      words(value.length);
      parts.push(value);
    }
  }
  return Buffer.concat(parts);
}

/** The scripts that {@link encodeScripts} made `bytes` of. */
export function decodeScripts(bytes: Uint8Array): Script[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names = new Map<number, string>(Object.entries(OPS).map(([name, number]) => [number, name]));
  const isOp = (name: string | undefined): name is Op => name !== undefined && name in OPS;
  const scripts: Script[] = [];
  let at = 0;
  const take = (length: number): Uint8Array => {
    at += length;
    return bytes.subarray(at - length, at);
  };
  const word = (): number => view.getUint32(take(4).byteOffset - bytes.byteOffset, true);
  while (at < bytes.length) {
    const size = word();
    const calls = Array.from({ length: word() }, (): Call => {
      const op = names.get(word());
      const [a, b, byOffset] = [word(), word(), word()];
      const text = decodeLatin1(take(word()));
      const value = take(word());
      if (!isOp(op)) throw new RangeError(`no such call, before byte ${at}`);
      if (byOffset === 1) return { op, node: a, name: text, value };
      if (OPS[op] < OPS.add_subnode || OPS[op] > OPS.set_name) return { op, name: text, value, a, b };
      const nul = text.indexOf('\0');
      return { op, node: text.slice(0, nul), name: text.slice(nul + 1), value, a, b };
    });
    scripts.push({ size, calls });
  }
  return scripts;
}

/** libfdt's answer to encoded scripts; `program` is the built test/oracle/libfdt-calls.c. */
export function askLibfdt(program: string, scripts: Uint8Array): Buffer {
  return execFileSync(program, { input: scripts, maxBuffer: 1 << 30 });
}

/** The outcomes of `scripts` in what libfdt answered. */
export function decodeOutcomes(scripts: readonly Script[], output: Uint8Array): Outcome[] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let at = 0;
  return scripts.map(({ size, calls }) => {
    const results = calls.map((_, index) => view.getInt32(at + index * 4, true));
    const buffer = output.subarray(at + calls.length * 4, at + calls.length * 4 + size);
    at += calls.length * 4 + size;
    return { results, buffer };
  });
}

/** What FdtWriter and FdtEditor answer to `script`. */
export function runOurs(script: Script): Outcome {
  const ours = new OurTree(script.size);
  const results = script.calls.map((call) => {
    try {
      return ours.call(call);
    } catch (error) {
      if (error instanceof FdtError) return -FDT_ERRORS[error.code];
      throw error;
    }
  });
  return { results, buffer: ours.buffer };
}

class OurTree {
  readonly #size: number;
  #writer: FdtWriter | undefined;
  #editor: FdtEditor | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  get buffer(): Uint8Array | undefined {
    return this.#editor?.buffer ?? this.#writer?.buffer;
  }

  call({ op, node, name = '', value = EMPTY, a = 0, b = 0 }: Call): number {
    const editor = (): FdtEditor => this.#editor ?? FdtEditor.openInPlace(this.#sequential().buffer);
    const offset = (): number => (typeof node === 'number' ? node : editor().nodeOffset(node ?? ''));
    switch (op) {
      case 'create':
        this.#writer = new FdtWriter({ size: this.#size, dedup: a === 0 });
        break;
      case 'add_reservemap_entry':
        this.#sequential().addReservation(BigInt(a), BigInt(b));
        break;
      case 'finish_reservemap':
        this.#sequential().finishReservations();
        break;
      case 'begin_node':
        this.#sequential().beginNode(name);
        break;
      case 'property':
        this.#sequential().property(name, value);
        break;
      case 'end_node':
        this.#sequential().endNode();
        break;
      case 'finish':
        this.#sequential().finish();
        break;
      case 'create_empty_tree':
        this.#editor = FdtEditor.createEmptyTree(this.#size);
        break;
      case 'open_into':
        this.#editor = FdtEditor.openInto(value, this.#size);
        break;
      case 'open_in_place': {
        if (value.length > this.#size)
          throw new FdtError({ code: 'NOSPACE', message: 'the blob does not fit' });
        const buffer = new Uint8Array(this.#size);
        buffer.set(value);
        this.#editor = FdtEditor.openInPlace(buffer);
        break;
      }
      case 'reopen':
        if (this.#editor === undefined) this.#editor = editor();
        else this.#editor.reopen();
        break;
      case 'add_subnode':
        return editor().addSubnode(offset(), name);
      case 'setprop':
        editor().setProperty(offset(), name, value);
        break;
      case 'appendprop':
        editor().appendProperty(offset(), name, value);
        break;
      case 'setprop_inplace':
        editor().setPropertyInPlace(offset(), name, value);
        break;
      case 'delprop':
        editor().deleteProperty(offset(), name);
        break;
      case 'nop_property':
        editor().nopProperty(offset(), name);
        break;
      case 'del_node':
        editor().deleteNode(offset());
        break;
      case 'nop_node':
        editor().nopNode(offset());
        break;
      case 'set_name':
        editor().setName(offset(), name);
        break;
      case 'add_mem_rsv':
        editor().addReservation(BigInt(a), BigInt(b));
        break;
      case 'del_mem_rsv':
        editor().deleteReservation(a);
        break;
      case 'pack':
        editor().pack();
        break;
      case 'path_offset':
        return editor().nodeOffset(name);
    }
    return 0;
  }

  #sequential(): FdtWriter {
    if (this.#writer === undefined) throw new FdtError({ code: 'BADMAGIC', message: 'there is no tree' });
    return this.#writer;
  }
}
