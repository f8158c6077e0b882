// SPDX-License-Identifier: Apache-2.0
// Changes to what says where a handover begins and where the next kernel boots: setup_data, scratch regions.
import { BEYOND, type ImageOperator, inField, put } from '../image-operator.js';

const SETUP = ['setup_data_kho'];
const BOOT = ['setup-data-kho'];
const PAGE = 4096n;
/** End of what 40 bits address, with no memory just below it: machines that are made up have a few GiB. */
const ADDRESSED = 1n << 40n;

/** Changes to setup_data and scratch. */
export const scratchOperators: readonly ImageOperator[] = [
  {
    id: 'scratch-over-preserved',
    family: 'overlaps',
    doc: 'a scratch region is where memory is preserved',
    on: BOOT,
    rules: ['map-scratch', 'reachable-scratch'],
    effect: 'corrupt',
    apply: (site) => {
      const spot = site.random.pick(site.bench.fields(['kho_scratch'], 'addr'));
      const { handover } = site.bench;
      const struct = [...Array(handover.reach.count).keys()].filter(
        (index) => handover.reach.kind(index) === 'struct' || handover.reach.kind(index) === 'blob',
      );
      const chosen = site.random.pick(struct);
      if (spot === undefined || chosen === undefined) return undefined;
      return put(site, spot, BigInt(handover.reach.pfn(chosen)) * PAGE);
    },
  },
  {
    id: 'scratch-over-map',
    family: 'overlaps',
    doc: 'a scratch region is where the map of preserved memory lies',
    on: BOOT,
    rules: ['map-nodes-scratch'],
    effect: 'corrupt',
    apply: (site) => {
      const spot = site.random.pick(site.bench.fields(['kho_scratch'], 'addr'));
      const node = site.random.pick([...(site.bench.handover.preserved?.nodes ?? [])]);
      return spot && node !== undefined ? put(site, spot, BigInt(node) * PAGE) : undefined;
    },
  },
  {
    id: 'scratch-array-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the scratch regions leads beyond memory',
    on: BOOT,
    rules: ['scratch-regions'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: inField(SETUP, 'scratch_addr', (_, __, { bench }) =>
      bench.handover.setupData?.length === 32 ? BEYOND : undefined,
    ),
  },
  {
    id: 'scratch-array-unmapped',
    family: 'lengths',
    doc: 'the array of scratch regions has a size that no early mapping has room for, or none',
    on: BOOT,
    rules: ['scratch-regions'],
    codes: ['BAD_LENGTH'],
    effect: 'plain-boot',
    apply: inField(SETUP, 'scratch_size', (_, __, { bench, random }) =>
      bench.handover.setupData?.length === 32 ? random.pick([0n, 1n << 20n, (1n << 64n) - 16n]) : undefined,
    ),
  },
  {
    id: 'scratch-array-short',
    family: 'lengths',
    doc: 'the array of scratch regions has room for none',
    on: BOOT,
    rules: ['scratch-regions'],
    codes: ['BAD_LENGTH'],
    effect: 'oops',
    apply: inField(SETUP, 'scratch_size', (_, __, { bench, random }) =>
      bench.handover.setupData?.length === 32 ? 1n + BigInt(random.below(15)) : undefined,
    ),
  },
  {
    id: 'scratch-array-uneven',
    family: 'lengths',
    doc: 'the array of scratch regions has another size than whole regions',
    on: BOOT,
    rules: ['scratch-regions'],
    codes: ['BAD_LENGTH'],
    effect: 'none',
    apply: inField(SETUP, 'scratch_size', (old, _, { bench, random }) =>
      bench.handover.setupData?.length === 32 && old > 16n ? random.pick([old - 1n, old + 8n]) : undefined,
    ),
  },
  {
    id: 'scratch-misaligned',
    family: 'orders',
    doc: 'a scratch region begins or ends within a page',
    on: BOOT,
    rules: ['scratch-regions'],
    codes: ['BAD_VALUE'],
    effect: 'oops',
    apply: inField(
      ['kho_scratch'],
      'addr',
      (old, _, { random }) => old + 16n * BigInt(1 + random.below(255)),
    ),
  },
  {
    id: 'setup-root-beyond-memory',
    family: 'pointers',
    doc: 'setup_data leads to a root beyond memory',
    on: BOOT,
    rules: ['root-fdt'],
    codes: ['NO_FDT'],
    effect: 'plain-boot',
    apply: inField(
      SETUP,
      'fdt_addr',
      (_, __, { random }) => ADDRESSED - (1n << BigInt(12 + random.below(20))),
    ),
  },
  {
    id: 'setup-root-beyond-processor',
    family: 'pointers',
    doc: 'setup_data leads to a root at an address with more bits than processors have',
    on: BOOT,
    rules: ['root-fdt'],
    codes: ['NO_FDT'],
    effect: 'oops',
    apply: inField(SETUP, 'fdt_addr', () => BEYOND),
  },
  {
    id: 'setup-root-unmapped',
    family: 'lengths',
    doc: 'setup_data gives the page of the root a size that no early mapping has room for, or none',
    on: BOOT,
    rules: ['setup-data'],
    effect: 'plain-boot',
    apply: inField(SETUP, 'fdt_size', (_, __, { random }) => random.pick([0n, 1n << 20n, (1n << 64n) - 1n])),
  },
  {
    id: 'setup-root-uneven',
    family: 'lengths',
    doc: 'setup_data gives the page of the root another size than that of a page',
    on: BOOT,
    rules: ['setup-data'],
    effect: 'none',
    apply: inField(SETUP, 'fdt_size', (_, __, { random }) => random.pick([4095n, 4097n, 65536n])),
  },
];
