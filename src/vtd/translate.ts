// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/physical-memory.js';
import { decodeBits } from './bit-record.js';
import { levelsWidth } from './domain.js';
import { beyondHost, type EntryMasks, formatMasks, mappingBits, type WordMask } from './entry-masks.js';
import { WalkError } from './error.js';
import { LEVEL_SHIFT, MAPPING, type PagingFormat, pagingFormat, type Stage } from './paging-format.js';
import { registerBytes } from './registers.js';
import type {
  NestedRoot,
  TranslateOptions,
  Translation,
  TranslationFault,
  TranslationStep,
} from './translation.js';
import type { TableRoot } from './walk-result.js';

const ENTRY_BYTES = 8n;
const LOW = 0xffff_ffffn;

/**
 * Translates one address as hardware does: every entry that is read on the way, and why when it faults.
 *
 * @param root one table, or two for nested translation
 * @param iova 64 bits
 * @throws WalkError BAD_ARGUMENT for an address of more than 64 bits or levels that the stage does not have; ImageError
 * when the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { translate } from 'kho-toolkit/vtd';
 *
 * const image = openImage('fixtures/kernel-7.3.4/vtd-scalable.trimmed.elf');
 * const root = { stage: 'second', table: 0x6982000n, levels: 4 } as const;
 * const { phys, steps, fault } = translate(image, root, 0x12346abcn, { access: 'read' });
 * console.log(phys, steps.length, fault?.message);
 * image.close();
 * ```
 */
export function translate(
  memory: PhysicalMemory,
  root: TableRoot | NestedRoot,
  iova: bigint,
  options: TranslateOptions = {},
): Translation {
  const run = new TranslationRun(memory, 'second' in root ? root.second : undefined, options.hostBits ?? 52);
  const found = run.stage('second' in root ? root.first : root, iova, options.widthBits);
  const fault = found.fault ?? forbidden(found, options.access);
  return {
    iova,
    phys: fault === undefined ? found.phys : undefined,
    pageSize: fault === undefined ? found.pageSize : 0,
    bits: found.bits,
    steps: run.steps,
    fault,
  };
}

interface Found {
  readonly phys: bigint;
  readonly pageSize: number;
  readonly bits: number;
  readonly stage: Stage;
  readonly fault: TranslationFault | undefined;
}

function forbidden(
  { bits, stage }: Found,
  access: 'read' | 'write' | undefined,
): TranslationFault | undefined {
  if (access === 'read' && (bits & MAPPING.READ) === 0) {
    return { code: 'NO_READ', stage, message: 'the mapping does not allow reading' };
  }
  if (access === 'write' && (bits & MAPPING.WRITE) === 0) {
    return { code: 'NO_WRITE', stage, message: 'the mapping does not allow writing' };
  }
  if ((bits & (MAPPING.READ | MAPPING.WRITE)) === 0) {
    return {
      code: 'NO_READ',
      stage,
      message: 'the entries of the path together allow neither reading nor writing',
    };
  }
  return undefined;
}

class TranslationRun {
  readonly steps: TranslationStep[] = [];
  readonly #memory: PhysicalMemory;
  readonly #second: TableRoot | undefined;
  readonly #hostBits: number;
  readonly #beyond: WordMask;

  constructor(memory: PhysicalMemory, second: TableRoot | undefined, hostBits: number) {
    this.#memory = memory;
    this.#second = second;
    this.#hostBits = hostBits;
    this.#beyond = beyondHost(hostBits);
  }

  /** Translates `input` by the table at `root`, and what it finds by the second stage where there is one. */
  stage(root: TableRoot, input: bigint, widthBits: number | undefined): Found {
    const format = pagingFormat(root.stage);
    if (!format.depths.includes(root.levels)) {
      throw new WalkError({
        code: 'BAD_ARGUMENT',
        message: `${format.title} tables have ${format.depths.join(', ')} levels, not ${root.levels}`,
      });
    }
    const fault = inputFault(format, root, input, widthBits);
    if (fault !== undefined) return faulted(fault);
    const hasSecond = this.#second !== undefined && root.stage === 'first';
    let table = root.table;
    let bits = 0xffff;
    for (let level = root.levels; ; level--) {
      const index = Number((input >> BigInt(12 + 9 * (level - 1))) & 0x1ffn);
      let address = table + BigInt(index) * ENTRY_BYTES;
      if (hasSecond) {
        const through = this.#throughSecond(address);
        if (through.fault !== undefined) return through;
        address = through.phys;
      }
      const read = this.#read(format, level, index, address, input);
      if ('code' in read) return faulted(read);
      const { masks, entry, isLeaf } = read;
      bits &= mappingBits(masks, Number(entry & LOW), Number(entry >> 32n));
      const target = masked(entry, masks.address);
      if (isLeaf) {
        const size = 1n << BigInt(12 + 9 * (level - 1));
        const phys = target | (input & (size - 1n));
        const leafBits = (bits & 0xfff) | (level << LEVEL_SHIFT);
        const own = { phys, pageSize: Number(size), bits: leafBits, stage: root.stage, fault: undefined };
        return hasSecond ? combine(own, this.#throughSecond(phys)) : own;
      }
      bits |= formatMasks(format).offPath;
      table = target;
    }
  }

  #throughSecond(address: bigint): Found {
    if (this.#second === undefined) throw new RangeError('no second stage');
    const found = this.stage(this.#second, address, undefined);
    return found.fault === undefined ? found : { ...found, fault: guestFault(found.fault, address) };
  }

  #read(
    format: PagingFormat,
    level: number,
    index: number,
    address: bigint,
    input: bigint,
  ): TranslationFault | { masks: EntryMasks; entry: bigint; isLeaf: boolean } {
    const { stage } = format;
    const page = this.#memory.page(Number(address >> 12n));
    const where = `level ${level} entry at ${formatHex(address)}`;
    if (typeof page === 'string') {
      const absent = page === 'absent';
      const why = absent ? 'not in the image' : 'left out of the dump';
      return { code: absent ? 'OUTSIDE_IMAGE' : 'EXCLUDED', stage, message: `${where}: ${why}` };
    }
    const within = Number(address & 0xfffn);
    const entry = new DataView(page.buffer, page.byteOffset, page.length).getBigUint64(within, true);
    const { table, leaf } = format.levels[level - 1] ?? {};
    const isLeaf = level === 1 || (leaf !== undefined && (entry & 0x80n) !== 0n);
    const record = isLeaf ? leaf : table;
    const compiled = formatMasks(format).levels[level - 1];
    const masks = isLeaf ? compiled?.leaf : compiled?.table;
    const present = (entry & BigInt(format.present)) !== 0n;
    const step = { stage, level, index, address, input, entry };
    if (!present || record === undefined || masks === undefined) {
      this.steps.push({ ...step, record: undefined, fields: {} });
      const message = `${where}: not present${entry === 0n ? '' : `, but not 0: ${formatHex(entry)}`}`;
      return { code: 'NOT_PRESENT', stage, message };
    }
    this.steps.push({ ...step, record, fields: decodeBits(record, registerBytes(entry)) });
    const broken = masked(entry, masks.reserved) | masked(entry, masks.align);
    if (broken !== 0n) {
      return {
        code: 'RESERVED_BITS',
        stage,
        message: `${where}: reserved bits ${formatHex(broken)} expected to be 0`,
      };
    }
    const physical = stage === 'second' || this.#second === undefined;
    if (physical && masked(entry, this.#beyond) !== 0n) {
      const target = formatHex(masked(entry, masks.address));
      const message = `${where}: an address below 2^${this.#hostBits} expected, found ${target}`;
      return { code: 'BEYOND_HOST', stage, message };
    }
    return { masks, entry, isLeaf };
  }
}

function faulted(fault: TranslationFault): Found {
  return { phys: 0n, pageSize: 0, bits: 0, stage: fault.stage, fault };
}

function guestFault(fault: TranslationFault, address: bigint): TranslationFault {
  return { ...fault, message: `guest-physical ${formatHex(address)}: ${fault.message}` };
}

/** What both stages allow; where to, and what the memory is like, the second one says. */
function combine(first: Found, second: Found): Found {
  if (second.fault !== undefined) return second;
  const both = MAPPING.READ | MAPPING.WRITE | MAPPING.EXECUTE;
  const smaller = first.pageSize < second.pageSize ? first : second;
  return {
    ...second,
    pageSize: smaller.pageSize,
    bits:
      (first.bits & second.bits & both) |
      (first.bits & ~both & 0xfff) |
      (second.bits & MAPPING.SNOOP) |
      (smaller.bits & ~0xfff),
  };
}

function inputFault(
  { signExtend, stage }: PagingFormat,
  { levels }: TableRoot,
  input: bigint,
  widthBits: number | undefined,
): TranslationFault | undefined {
  if (input < 0n || input >> 64n !== 0n) {
    throw new WalkError({ code: 'BAD_ARGUMENT', message: `addresses have 64 bits, not ${input}` });
  }
  const width = BigInt(Math.min(widthBits ?? 64, levelsWidth(levels)));
  const upper = input >> (width - (signExtend ? 1n : 0n));
  if (upper === 0n) return undefined;
  if (!signExtend) {
    const message = `addresses below 2^${width} expected, found ${formatHex(input)}`;
    return { code: 'BEYOND_WIDTH', stage, message };
  }
  // All bits above the sign, and the sign, are ones.
  if (upper === (1n << (65n - width)) - 1n) return undefined;
  const message = `bits 63:${width - 1n} expected to be equal, found ${formatHex(input)}`;
  return { code: 'NOT_CANONICAL', stage, message };
}

/** Bits of an entry. */
function masked(entry: bigint, { low, high }: WordMask): bigint {
  return entry & ((BigInt(high) << 32n) | BigInt(low));
}
