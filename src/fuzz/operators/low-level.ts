// SPDX-License-Identifier: Apache-2.0
// Changes below the level of meaning, to whole handovers: what they break is computed, not declared.

import { fdtSegments } from '../../fdt/segments.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from '../../fdt/token.js';
import type { Change, ImageOperator, Site } from '../image-operator.js';

const TOKENS = [FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END];

/** A byte of a declared field, and where it is. */
function anyByte({ bench, random }: Site): { address: bigint; path: string } | undefined {
  const spot = random.pick(bench.spots);
  return spot && { address: spot.address + BigInt(random.below(spot.length)), path: spot.path };
}

function setByte(
  { store }: Site,
  at: { address: bigint; path: string },
  value: (old: number) => number,
): Change {
  const [old = 0] = store.read(at.address, 1);
  const now = value(old) & 0xff;
  store.write(at.address, Uint8Array.of(now));
  return { at: at.path, detail: `the byte at 0x${at.address.toString(16)} was ${old}, is ${now}` };
}

const computed = { on: [], rules: [], effect: 'none' } as const;

/** Changes to bits, bytes and tokens. */
export const lowLevelOperators: readonly ImageOperator[] = [
  {
    ...computed,
    id: 'image-bit-flip',
    family: 'bits',
    doc: 'a bit of a field is flipped',
    apply: (site) => {
      const at = anyByte(site);
      return at && setByte(site, at, (old) => old ^ (1 << site.random.below(8)));
    },
  },
  {
    ...computed,
    id: 'image-byte',
    family: 'bytes',
    doc: 'a byte of a field is another one',
    apply: (site) => {
      const at = anyByte(site);
      return at && setByte(site, at, (old) => old + 1 + site.random.below(255));
    },
  },
  {
    ...computed,
    id: 'image-token',
    family: 'tokens',
    doc: 'a token of the root is another one',
    apply: (site) => {
      const { fdt, address } = site.bench.handover.root;
      const isToken = (label: string): boolean => label.startsWith('FDT_');
      const found = fdt === undefined ? [] : [...fdtSegments(fdt)].filter(({ label }) => isToken(label));
      const token = site.random.pick(found);
      const other = site.random.pick(TOKENS.filter((each) => each !== token?.value));
      if (token === undefined || other === undefined) return undefined;
      site.store.write(address + BigInt(token.offset), Uint8Array.of(0, 0, 0, other));
      return {
        at: token.path ?? '/',
        detail: `${token.label} at offset ${token.offset} became token ${other}`,
      };
    },
  },
];
