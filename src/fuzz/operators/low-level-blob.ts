// SPDX-License-Identifier: Apache-2.0
// Changes below the level of meaning, to blobs: what they break is computed, not declared.
import { openFdt } from '../../fdt/fdt.js';
import { fdtSegments } from '../../fdt/segments.js';
import { FDT_BEGIN_NODE, FDT_END, FDT_END_NODE, FDT_NOP, FDT_PROP } from '../../fdt/token.js';
import type { BlobOperator, BlobSite, ChangedBlob } from '../blob-operator.js';

const TOKENS = [FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END];

function setByte({ bytes, random }: BlobSite, value: (old: number) => number): ChangedBlob | undefined {
  if (bytes.length === 0) return undefined;
  const offset = random.below(bytes.length);
  const copy = bytes.slice();
  const old = copy[offset] ?? 0;
  copy[offset] = value(old);
  return { bytes: copy, at: `0x${offset.toString(16)}`, detail: `the byte was ${old}, is ${copy[offset]}` };
}

/** Changes to bits, bytes and tokens. */
export const lowLevelBlobOperators: readonly BlobOperator[] = [
  {
    id: 'blob-bit-flip',
    family: 'bits',
    doc: 'a bit is flipped',
    codes: [],
    apply: (site) => setByte(site, (old) => old ^ (1 << site.random.below(8))),
  },
  {
    id: 'blob-byte',
    family: 'bytes',
    doc: 'a byte is another one',
    codes: [],
    apply: (site) => setByte(site, (old) => old + 1 + site.random.below(255)),
  },
  {
    id: 'blob-token',
    family: 'tokens',
    doc: 'a token of an FDT is another one',
    codes: [],
    apply: ({ layout, bytes, random }) => {
      if (layout.kind !== 'node') return undefined;
      const tokens = [...fdtSegments(openFdt(bytes))].filter(({ label }) => label.startsWith('FDT_'));
      const token = random.pick(tokens);
      const other = random.pick(TOKENS.filter((each) => each !== token?.value));
      if (token === undefined || other === undefined) return undefined;
      const copy = bytes.slice();
      new DataView(copy.buffer).setUint32(token.offset, other);
      return {
        bytes: copy,
        at: token.path ?? '/',
        detail: `${token.label} at offset ${token.offset} became token ${other}`,
      };
    },
  },
];
