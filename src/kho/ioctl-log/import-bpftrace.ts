// SPDX-License-Identifier: Apache-2.0
// The text that docs/recording/iommufd.bt prints: what calls were given and what they left behind, word by word.
import { type IoctlName, ioctlNumbered, ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { AreaTree } from './area-tree.js';
import { decodeCall, structSize } from './call-bytes.js';
import {
  type AddressRange,
  type IoctlExtras,
  type IoctlLog,
  ioctlRecord,
  type LogMemory,
  type LogRecord,
  logError,
  type MemoryPlace,
  requireSoundLog,
} from './log.js';
import { kindOfPath, TracedFiles } from './traced-files.js';

const HEADER = /^\d+ kho-iommufd-trace (\d+)$/m;
const LINE = /^(\d+) ([a-z]+) (.*)$/;
const VERSION = '1';
const WORDS = 6;

/** Whether text looks like that of our bpftrace script. */
export function looksLikeBpftrace(text: string): boolean {
  return HEADER.test(text.slice(0, 4096));
}

interface Line {
  readonly time: bigint;
  readonly kind: string;
  readonly words: readonly string[];
  /** For what is reported. */
  readonly number: number;
}

/** A call that has begun. */
interface Begun {
  readonly process: string;
  readonly fd: number;
  readonly cmd: number;
  readonly words: readonly bigint[];
  /** Ranges or data that its pointer leads to. */
  readonly buffer: bigint[];
}

/** A mapping of a memfd in a process. */
interface Mapping extends AddressRange {
  readonly place: MemoryPlace;
}

/**
 * Imports the output of our bpftrace script. Lines are put in order of time, since those of different CPUs can change
 * places; calls stand where they returned.
 *
 * @throws LogError BAD_LINE for another version of the script, or a line that it does not print; what
 * `requireSoundLog` throws
 */
export function importBpftrace(text: string): IoctlLog {
  const version = HEADER.exec(text)?.[1];
  if (version !== VERSION)
    throw logError('BAD_LINE', 'line 1', `expected kho-iommufd-trace ${VERSION}, found ${version ?? 'none'}`);
  const lines: Line[] = [];
  text.split('\n').forEach((line, index) => {
    // bpftrace adds lines of its own: of probes attached, of events lost.
    const match = LINE.exec(line.trimEnd());
    if (match === null) return;
    const [, time = '0', kind = '', rest = ''] = match;
    lines.push({ time: BigInt(time), kind, words: rest.split(' '), number: index + 1 });
  });
  lines.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : a.number - b.number));
  const lost = [...text.matchAll(/^Lost (\d+) events$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  const trace = new Trace();
  for (const line of lines) trace.take(line);
  const notes = [...trace.notes()];
  if (lost > 0) notes.push(`bpftrace lost ${lost} events`);
  const { files, memories, records } = trace;
  return requireSoundLog({
    source: 'bpftrace, iommufd.bt',
    files: files.files,
    memories,
    records,
    notes,
  });
}

class Trace {
  readonly files = new TracedFiles();
  readonly memories: LogMemory[] = [];
  readonly records: LogRecord[] = [];
  readonly #begun = new Map<string, Begun>();
  readonly #tokens = new Map<string, string>();
  readonly #names = new Map<string, number>();
  readonly #mappings = new Map<string, AreaTree<Mapping>>();
  #unnamed = 0;

  *notes(): Generator<string, void, undefined> {
    if (this.#begun.size > 0) yield `${this.#begun.size} calls had not returned when the trace ended`;
    if (this.#unnamed > 0) yield `${this.#unnamed} mappings are of memory that is no memfd of the trace`;
  }

  take(line: Line): void {
    const { kind, words } = line;
    const [process = '', thread = '', third = ''] = words;
    switch (kind) {
      case 'open':
        this.#open(process, decimal(thread, line), decimal(third, line), words.slice(3).join(' '));
        break;
      case 'close':
        this.#close(process, decimal(thread, line), decimal(third, line));
        break;
      case 'memfd':
        this.#memfd(process, decimal(third, line), words.slice(3).join(' '));
        break;
      case 'mmap':
        this.#mmap(process, words.slice(2), line);
        break;
      case 'enter':
        this.#begun.set(thread, {
          process,
          fd: decimal(third, line),
          cmd: Number(hexWords(words.slice(3, 4), line, 1)[0]),
          words: hexWords(words.slice(4), line, WORDS),
          buffer: [],
        });
        break;
      case 'range':
      case 'data':
        this.#begun.get(process)?.buffer.push(...hexWords(words.slice(1), line));
        break;
      case 'exit':
        this.#exit(process, decimal(thread, line), hexWords(words.slice(2), line, WORDS));
        break;
      case 'kho-iommufd-trace':
        break;
      default:
        throw logError('BAD_LINE', `line ${line.number}`, `iommufd.bt prints no such line`);
    }
  }

  #open(process: string, thread: number, fd: number, path: string): void {
    const kind = kindOfPath(path);
    if (kind === undefined) return;
    const { name } = this.files.open(`${process} ${fd}`, kind, path);
    this.records.push({ seq: this.records.length, thread, file: name, kind: 'open' });
  }

  #close(process: string, thread: number, fd: number): void {
    const file = this.files.close(`${process} ${fd}`);
    if (file === undefined) return;
    this.records.push({ seq: this.records.length, thread, file: file.name, kind: 'close' });
  }

  #memfd(process: string, fd: number, name: string): void {
    const times = (this.#names.get(name) ?? 0) + 1;
    this.#names.set(name, times);
    const token = times === 1 ? `memfd:${name}` : `memfd:${name}#${times}`;
    this.#tokens.set(`${process} ${fd}`, token);
    this.memories.push({ token, frames: [] });
  }

  #mmap(process: string, words: readonly string[], line: Line): void {
    const [start = 0n, length = 0n] = hexWords(words.slice(0, 2), line, 2);
    const [offset = 0n] = hexWords(words.slice(3), line, 1);
    const token = this.#tokens.get(`${process} ${words[2]}`);
    const last = start + length - 1n;
    // Addresses at the end of 64 bits are error numbers.
    if (token === undefined || length === 0n || last >= 0xffff_ffff_ffff_f000n) return;
    const tree = this.#mappings.get(process) ?? new AreaTree<Mapping>();
    this.#mappings.set(process, tree);
    // A mapping takes the place of what was there.
    for (let old = tree.firstIn(start, last); old !== undefined; old = tree.firstIn(start, last))
      tree.remove(old);
    tree.insert({ start, last, place: { token, offset } });
  }

  #exit(thread: string, code: number, after: readonly bigint[]): void {
    const begun = this.#begun.get(thread);
    if (begun === undefined) return;
    this.#begun.delete(thread);
    const { process, fd, cmd } = begun;
    const errno = code < 0 ? -code : 0;
    const call = ioctlNumbered(cmd);
    const isDevice = call !== undefined && ioctls[call].on === 'device';
    const { name } = this.files.at(`${process} ${fd}`, isDevice ? 'device' : 'iommufd');
    const base = { seq: this.records.length, thread: Number(thread), file: name };
    if (call === undefined) {
      this.records.push({ ...base, kind: 'unknown', cmd, errno });
      return;
    }
    this.records.push(this.#record(call, begun, after, errno, base));
  }

  #record(
    call: IoctlName,
    begun: Begun,
    after: readonly bigint[],
    errno: number,
    base: { readonly seq: number; readonly thread: number; readonly file: string },
  ): LogRecord {
    // A page that was never touched reads as zero at entry; the kernel then has brought it in.
    const before = begun.words.every((word) => word === 0n) ? after : begun.words;
    const input = bytesOf(before);
    const size = new DataView(input.buffer).getUint32(0, true);
    const full = structSize(call);
    const passed = input.subarray(0, Math.min(Math.max(size, 4), Math.max(full, 8 * WORDS)));
    const { args, tail } = decodeCall(call, passed);
    const returned: Readonly<Record<string, unknown>> = decodeCall(
      call,
      bytesOf(after).subarray(0, full),
    ).args;
    const out: Record<string, bigint> = {};
    for (const field of ioctls[call].outputs) {
      const value = returned[field];
      if (errno === 0 && (typeof value === 'number' || typeof value === 'bigint')) out[field] = BigInt(value);
    }
    const memory = this.#memoryOf(begun, args);
    const extras: IoctlExtras = {
      errno,
      out: errno === 0 && ioctls[call].outputs.length > 0 ? out : undefined,
      // Only what lies within the words that the script reads is there.
      tail: size > full && size > 8 * WORDS ? undefined : tail,
      buffer: begun.buffer.length > 0 ? bytesOf(begun.buffer) : undefined,
      memory,
      target: this.#targetOf(begun, args),
    };
    return ioctlRecord(call, base, args, extras);
  }

  #targetOf({ process }: Begun, args: object): string | undefined {
    if (!('iommufd' in args)) return undefined;
    const file = this.files.find(`${process} ${String(args.iommufd)}`);
    return file?.kind === 'iommufd' ? file.name : undefined;
  }

  /** What memory a mapping call maps, where it is a memfd of the trace. */
  #memoryOf({ process }: Begun, args: object): MemoryPlace | undefined {
    if ('fd' in args && 'start' in args && typeof args.start === 'bigint') {
      const token = this.#tokens.get(`${process} ${String(args.fd)}`);
      if (token === undefined) this.#unnamed++;
      return token === undefined ? undefined : { token, offset: args.start };
    }
    if (!('user_va' in args) || typeof args.user_va !== 'bigint') return undefined;
    const address = args.user_va;
    const found = this.#mappings.get(process)?.firstIn(address, address);
    if (found === undefined) {
      this.#unnamed++;
      return undefined;
    }
    return { token: found.place.token, offset: found.place.offset + address - found.start };
  }
}

/** A whole number, which may be negative. */
function decimal(word: string, { number }: Line): number {
  if (!/^-?\d{1,10}$/.test(word)) throw logError('BAD_LINE', `line ${number}`, 'expected a decimal number');
  return Number(word);
}

function hexWords(
  words: readonly string[],
  { number }: Line,
  count: number = words.length,
): readonly bigint[] {
  if (words.length !== count || words.some((word) => !/^[0-9a-f]{1,16}$/.test(word)))
    throw logError('BAD_LINE', `line ${number}`, `expected ${count} hexadecimal words`);
  return words.map((word) => BigInt(`0x${word}`));
}

function bytesOf(words: readonly bigint[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => {
    view.setBigUint64(8 * index, word, true);
  });
  return bytes;
}
