// SPDX-License-Identifier: Apache-2.0
// Memory images, ELF cores, made small: pages go, then words within them become zero.
import { PAGE_SIZE } from '../image/physical-memory.js';
import { encodeCore, readCore } from './core-pages.js';
import { cutList } from './cut.js';
import type { Candidate, Shrinker, ShrinkPass } from './shrink.js';
import { zeroIn } from './shrink-bytes.js';

/** Leaves out pages of an ELF core that the failure does without, then memory that it has no contents of, and notes. */
export const shrinkPages: ShrinkPass = function* (input): Shrinker {
  let core = readCore(input);
  if (core === undefined) return;
  const whole = core;
  if (!(yield { bytes: encodeCore(whole), step: 'write the core anew' })) return;
  const pfns = yield* cutList(core.pfns, (left, { size }) => ({
    bytes: encodeCore({ ...whole, pfns: left }),
    step: size === 1 ? 'drop a page' : `drop ${size} pages`,
  }));
  core = { ...core, pfns };
  const without = { ...core, notes: new Uint8Array() };
  if (yield { bytes: encodeCore(without), step: 'drop the notes' }) core = without;
  yield { bytes: encodeCore({ ...core, excluded: [] }), step: 'drop memory without contents' };
};

/** Makes words of an ELF core's pages zero. */
export const zeroPages: ShrinkPass = function* (input): Shrinker {
  const core = readCore(input);
  if (core === undefined) return;
  let whole = encodeCore(core);
  const anew: Candidate = { bytes: whole, step: 'write the core anew' };
  if (!(yield anew)) return;
  const first = whole.length - core.pfns.length * PAGE_SIZE;
  for (const [index, pfn] of core.pfns.entries()) {
    const at = first + index * PAGE_SIZE;
    const withPage = (page: Uint8Array): Uint8Array => {
      const other = whole.slice();
      other.set(page, at);
      return other;
    };
    const page = whole.slice(at, at + PAGE_SIZE);
    whole = withPage(
      yield* zeroIn(page, 0, (bytes) => ({ bytes: withPage(bytes), step: `zero page ${pfn}:` })),
    );
  }
};
