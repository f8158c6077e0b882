// SPDX-License-Identifier: Apache-2.0
// What rules and the compatibility of versions together say that a kernel makes of a handover.
import { KhoError } from '../bytes/issue.js';
import { type CompatEffect, predictHandover } from './compat.js';
import { sideOfFolder } from './compat-side.js';
import type { Handover } from './handover.js';
import { sideInImage } from './image-side.js';
import { kernelSet } from './kernel-set.js';
import type { SearchableMemory } from './locate.js';
import type { KernelEffect } from './rules/rule.js';
import { EffectTally, verifyHandover } from './verify.js';

/** What should happen, and who says so. */
export interface KernelPrediction {
  /** The worst of what is said. */
  readonly effect: KernelEffect;
  /** Ids of the rules that say it, or `compat`. */
  readonly rules: readonly string[];
}

/** What the effects of versions that differ come to. */
const OF_VERSIONS: Readonly<Record<CompatEffect, KernelEffect>> = {
  restored: 'none',
  unclaimed: 'silent',
  ignored: 'none',
  fresh: 'silent',
  'open-fails': 'open-fails',
  'start-fails': 'open-fails',
  panic: 'panic',
  'plain-boot': 'plain-boot',
  misread: 'corrupt',
};

/**
 * Predicts what a kernel does with a handover.
 *
 * @param release - of the kernel: `7.3.4`; versions of releases that are not known are not judged
 * @throws ImageError where the image cannot be read
 */
export function predictKernel(
  handover: Handover,
  memory: SearchableMemory,
  release: string | undefined,
): KernelPrediction {
  const { findings } = verifyHandover(handover);
  const said: { effect: KernelEffect; rule: string }[] = [];
  const tally = new EffectTally();
  for (const { rule, effect, at } of findings) {
    said.push({ rule, effect });
    tally.add(effect, at.path);
  }
  for (const effect of versionEffects(memory, release)) {
    said.push({ rule: 'compat', effect });
    tally.add(effect, undefined);
  }
  const { effect } = tally;
  const rules = said.filter((each) => each.effect === effect && effect !== 'none').map(({ rule }) => rule);
  return { effect, rules: [...new Set(rules)] };
}

/** Versions that are too damaged to be told are left to the rules. */
function versionEffects(memory: SearchableMemory, release: string | undefined): KernelEffect[] {
  const to = release === undefined ? undefined : kernelSet(release);
  if (to === undefined) return [];
  try {
    const side = sideInImage(memory);
    if (side === undefined) return [];
    return predictHandover(sideOfFolder('', [side], {}), to).map(({ effect }) => OF_VERSIONS[effect]);
  } catch (error) {
    if (error instanceof KhoError) return [];
    throw error;
  }
}
