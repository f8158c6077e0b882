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

/** The regions that a setup_data entry leads to. Before kexec's jump the array is not yet in its place. */
export function scratchOf(setup: KhoSetupData | undefined, memory: Memory): ScratchState {
  if (setup === undefined) return { regions: undefined, source: 'no setup_data says where', issues: [] };
  const { scratchAddress: address, scratchSize: size, state } = setup;
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
      address: setup.address,
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
