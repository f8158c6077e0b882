// SPDX-License-Identifier: Apache-2.0
// Changes to the live update orchestrator's blob.
import { BEYOND, type ImageOperator, inField, oneOf } from '../image-operator.js';

const LUO = ['luo'];
const STATE = ['luo_ser', 'LUO'];

/** Changes to the blob. */
export const luoOperators: readonly ImageOperator[] = [
  {
    id: 'luo-version-future',
    family: 'versions',
    doc: 'LUO carries a version string of the future',
    on: LUO,
    rules: ['blob-version'],
    codes: ['NO_VERSION'],
    effect: 'panic',
    apply: inField(STATE, 'compatible', (_, { value }, { random }) =>
      /^luo-v\d$/.test(String(value)) ? `luo-v${6 + random.below(4)}` : undefined,
    ),
  },
  {
    id: 'luo-version-older',
    family: 'versions',
    doc: 'LUO carries the version string of a kernel before',
    on: LUO,
    rules: ['version-release'],
    effect: 'panic',
    apply: inField(STATE, 'compatible', (_, { value }) => (value === 'luo-v5' ? 'luo-v4' : undefined)),
  },
  {
    id: 'luo-version-tail',
    family: 'text',
    doc: 'there are bytes behind the NUL of the version string of LUO',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: inField(['luo_ser'], 'compatible', (_, { value, type }) =>
      type.kind === 'chars' && type.length > String(value).length + 1 ? `${value}\0x` : undefined,
    ),
  },
  {
    id: 'luo-number-zero',
    family: 'counts',
    doc: 'LUO counts no live update',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'none',
    apply: oneOf(
      inField(STATE, 'liveupdate_num', () => 0n),
      inField(STATE, 'liveupdate-number', () => 0n),
    ),
  },
  {
    id: 'luo-sessions-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the sessions leads beyond memory',
    on: LUO,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: oneOf(
      inField(STATE, 'sessions_pa', () => BEYOND),
      inField(['LUO'], 'luo-session-header', () => BEYOND),
    ),
  },
  {
    id: 'luo-sessions-misaligned',
    family: 'pointers',
    doc: 'the pointer to the sessions is off the start of its page',
    on: LUO,
    rules: ['luo-values'],
    codes: ['BAD_VALUE'],
    effect: 'panic',
    apply: oneOf(
      inField(STATE, 'sessions_pa', (old, _, { random }) => old + 8n * BigInt(1 + random.below(8))),
      inField(['LUO'], 'luo-session-header', (old, _, { random }) => old + 8n * BigInt(1 + random.below(8))),
    ),
  },
  {
    id: 'luo-objects-beyond-memory',
    family: 'pointers',
    doc: 'the pointer to the objects bound to files leads beyond memory',
    on: LUO,
    rules: ['reachable-present'],
    codes: ['ABSENT'],
    effect: 'oops',
    apply: oneOf(
      inField(STATE, 'flbs_pa', () => BEYOND),
      inField(['LUO'], 'luo-flb-header', () => BEYOND),
    ),
  },
];
