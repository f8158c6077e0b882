// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { khoScratch } from '../schemas/abi/kho-scratch.js';
import { check } from '../schemas/lang/check.js';
import type { Memory } from '../schemas/lang/memory.js';
import { sizeOf } from '../schemas/lang/size.js';
import { array } from '../schemas/lang/struct.js';
import type { ScratchRegion } from './debugfs-folder.js';
import type { HandoverIssue } from './handover-issue.js';
import type { KhoSetupData } from './locate.js';

/** Regions at most: two, and one a NUMA node. */
const MAX_REGIONS = 1026n;

/** Bytes of one of them in the array: struct kho_scratch. */
export const SCRATCH_STRIDE: bigint = BigInt(sizeOf(khoScratch) ?? 16);

/** The scratch regions, in which the next kernel boots. */
export interface ScratchState {
  /** The array that they are in; `undefined` where they are in none, or it is not known where. */
  readonly array?: ScratchArray | undefined;
  /** `undefined` where nothing says them, or what says them cannot be read. */
  readonly regions: readonly ScratchRegion[] | undefined;
  /** Who says so, for people. */
  readonly source: string;
  readonly issues: readonly HandoverIssue[];
}

const scratchList = array(khoScratch, 'rest');

/** Where the array of scratch regions lies. */
export interface ScratchArray {
  readonly address: bigint;
  /** In bytes. */
  readonly size: bigint;
}

/** In KHO's form of 2023 setup_data names the one region itself. */
function region2023({ address, scratchAddress, scratchSize: size }: KhoSetupData): ScratchState {
  const regions = [{ address: scratchAddress, size }];
  return { regions, source: `setup_data at ${formatHex(address)}`, issues: [] };
}

/**
 * The regions of an array that is given, else of that which setup_data leads to; before kexec's jump it is not there yet.
 *
 * @param isRegion - whether setup_data is of the form of 2023: it then leads to the one region and to no array
 */
export function scratchOf(
  given: ScratchArray | undefined,
  setup: KhoSetupData | undefined,
  memory: Memory,
  isRegion: boolean,
): ScratchState {
  if (given === undefined && setup !== undefined && isRegion) return region2023(setup);
  const state = given === undefined ? setup?.state : 'chained';
  const address = given?.address ?? setup?.scratchAddress;
  const size = given?.size ?? setup?.scratchSize;
  if (address === undefined || size === undefined)
    return { regions: undefined, source: 'no setup_data says where', issues: [] };
  const where = formatHex(address);
  if (state === 'staged')
    return { regions: undefined, source: `kexec has not yet moved the array to ${where}`, issues: [] };
  const source = `the array at ${where}`;
  const array = { address, size };
  const count = size / SCRATCH_STRIDE;
  const place = { part: 'scratch', address: setup?.address, otherAddress: address } as const;
  const found: HandoverIssue[] = [];
  if (count === 0n || count > MAX_REGIONS || size % SCRATCH_STRIDE !== 0n) {
    const message = `expected whole scratch regions at ${where}, found an array of ${size} bytes`;
    found.push({ ...place, code: 'BAD_LENGTH', message });
  }
  if (count === 0n || count > MAX_REGIONS) return { array, regions: undefined, source, issues: found };
  // What is left behind the last whole one kernels do not look at.
  const bytes = memory(address, Number(count * SCRATCH_STRIDE));
  if (bytes === undefined) {
    const message = `expected scratch regions at ${where}, found no such memory`;
    return { array, regions: undefined, source, issues: [...found, { ...place, code: 'ABSENT', message }] };
  }
  const { value = [], issues } = check(scratchList, bytes, { base: address, path: 'scratch' });
  return {
    array,
    regions: value.map(({ addr, size: length }) => ({ address: addr, size: length })),
    source,
    issues: [...found, ...issues.map((issue) => ({ ...issue, part: 'scratch' as const }))],
  };
}
