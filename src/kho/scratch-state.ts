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
const MAX_REGIONS = 1026;

/** The scratch regions, in which the next kernel boots. */
export interface ScratchState {
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

/** `len` of setup_data in KHO's form of 2023, setupDataKho2023. */
const SETUP_DATA_2023 = 48;

/** In KHO's form of 2023 setup_data names the one region itself. */
function region2023({ address, scratchAddress, scratchSize: size }: KhoSetupData): ScratchState {
  const regions = [{ address: scratchAddress, size }];
  return { regions, source: `setup_data at ${formatHex(address)}`, issues: [] };
}

/** The regions of an array that is given, else of that which setup_data leads to; before kexec's jump it is not there yet. */
export function scratchOf(
  given: ScratchArray | undefined,
  setup: KhoSetupData | undefined,
  memory: Memory,
): ScratchState {
  if (given === undefined && setup?.length === SETUP_DATA_2023) return region2023(setup);
  const state = given === undefined ? setup?.state : 'chained';
  const address = given?.address ?? setup?.scratchAddress;
  const size = given?.size ?? setup?.scratchSize;
  if (address === undefined || size === undefined)
    return { regions: undefined, source: 'no setup_data says where', issues: [] };
  const where = formatHex(address);
  if (state === 'staged')
    return { regions: undefined, source: `kexec has not yet moved the array to ${where}`, issues: [] };
  const source = `the array at ${where}`;
  const stride = BigInt(sizeOf(khoScratch) ?? 16);
  const fits = size > 0n && size % stride === 0n && size / stride <= BigInt(MAX_REGIONS);
  const bytes = fits ? memory(address, Number(size)) : undefined;
  if (bytes === undefined) {
    const message = `expected scratch regions at ${where}, found ${fits ? 'no such memory' : `an array of ${size} bytes`}`;
    const issue: HandoverIssue = {
      part: 'scratch',
      code: 'ABSENT',
      message,
      address: setup?.address,
      otherAddress: address,
    };
    return { regions: undefined, source, issues: [issue] };
  }
  const { value = [], issues } = check(scratchList, bytes, { base: address, path: 'scratch' });
  return {
    regions: value.map(({ addr, size: length }) => ({ address: addr, size: length })),
    source,
    issues: issues.map((issue) => ({ ...issue, part: 'scratch' })),
  };
}
