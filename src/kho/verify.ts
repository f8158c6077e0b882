// SPDX-License-Identifier: Apache-2.0
import type { Handover } from './handover.js';
import { Facts, NOTHING_THERE } from './rules/facts.js';
import { isFilePath } from './rules/from-issues.js';
import type { Finding, KernelEffect, Rule } from './rules/rule.js';
import { RULES } from './rules/table.js';

/** How a handover is verified. */
export interface VerifyOptions {
  /** Ids of the rules to run; default all. */
  readonly rules?: readonly string[] | undefined;
  /** Ids of rules to leave out. */
  readonly ignore?: readonly string[] | undefined;
  /** Findings kept of each rule, default 100; all are counted. */
  readonly maxPerRule?: number | undefined;
}

/** A rule that was passed over, since what it needs does not hold. */
export interface SkippedRule {
  readonly rule: string;
  /** Why, in words. */
  readonly because: string;
}

/** What a verification found. */
export interface Verification {
  /** In the order of the rules; of each rule the first `maxPerRule`. */
  readonly findings: readonly Finding[];
  /** How many findings each rule has that fired, kept or not. */
  readonly counts: ReadonlyMap<string, number>;
  /** Rules that ran. */
  readonly ran: readonly string[];
  readonly skipped: readonly SkippedRule[];
  /** The worst that the next kernel does, by the findings; `none` where it goes on as if nothing were. */
  readonly effect: KernelEffect;
}

/** All that a kernel may do, from what passes unnoticed to what keeps all from being seen. */
export const KERNEL_EFFECTS: readonly KernelEffect[] = [
  'none',
  'silent',
  'file-fails',
  'corrupt',
  'open-fails',
  'oops',
  'hang',
  'panic',
  'plain-boot',
];

/** The worst of some effects; `none` of none. */
export function worstEffect(effects: Iterable<KernelEffect>): KernelEffect {
  let worst: KernelEffect = 'none';
  for (const effect of effects)
    if (KERNEL_EFFECTS.indexOf(effect) > KERNEL_EFFECTS.indexOf(worst)) worst = effect;
  return worst;
}

/**
 * The worst of what findings say, one after the other. Nobody looks at what a file keeps before the file is retrieved: what
 * keeps sessions from being opened comes first.
 */
export class EffectTally {
  #atOnce: KernelEffect = 'none';
  #ofFiles: KernelEffect = 'none';

  /** @param path - of the finding; `undefined` for what is of no place */
  add(effect: KernelEffect, path: string | undefined): void {
    if (path !== undefined && isFilePath(path)) this.#ofFiles = worstEffect([this.#ofFiles, effect]);
    else this.#atOnce = worstEffect([this.#atOnce, effect]);
  }

  /** The worst; `none` of none. */
  get effect(): KernelEffect {
    const isOpened = KERNEL_EFFECTS.indexOf(this.#atOnce) < KERNEL_EFFECTS.indexOf('open-fails');
    return isOpened ? worstEffect([this.#atOnce, this.#ofFiles]) : this.#atOnce;
  }
}

/** Whether a rule may run: it was chosen and not left out. */
function isChosen({ id }: Rule, { rules, ignore = [] }: VerifyOptions): boolean {
  return (rules === undefined || rules.includes(id)) && !ignore.includes(id);
}

/**
 * Checks a handover against the rules. A rule runs when what it needs holds; one broken thing is told once, where it is,
 * and not by every rule that rests on it.
 *
 * @throws ImageError where the image cannot be read
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { Handover, verifyHandover } from 'kho-toolkit/kho';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const { findings, effect } = verifyHandover(Handover.open(image), { ignore: ['map-ram'] });
 * for (const { rule, message } of findings) console.log(rule, message);
 * console.log(effect); // what the next kernel does at worst
 * image.close();
 * ```
 */
export function verifyHandover(handover: Handover, options: VerifyOptions = {}): Verification {
  const { maxPerRule = 100 } = options;
  const facts = new Facts(handover);
  const findings: Finding[] = [];
  const counts = new Map<string, number>();
  const ran: string[] = [];
  const skipped: SkippedRule[] = [];
  const tally = new EffectTally();
  for (const rule of RULES) {
    if (!isChosen(rule, options)) continue;
    const { id } = rule;
    const isOfHandover = handover.isThere || rule.family === 'ioas';
    const reasons = isOfHandover ? rule.needs.map((fact) => facts.missing(fact)) : [NOTHING_THERE];
    const because = reasons.includes(NOTHING_THERE)
      ? NOTHING_THERE
      : reasons.find((reason) => reason !== undefined);
    if (because !== undefined) {
      if (because !== NOTHING_THERE) skipped.push({ rule: id, because });
      continue;
    }
    ran.push(id);
    const tell = (
      message: string,
      at: Finding['at'],
      differing: { readonly severity?: Finding['severity']; readonly effect?: KernelEffect } = {},
    ): void => {
      const count = (counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      const { severity = rule.severity, effect: own = rule.effect } = differing;
      tally.add(own, at.path);
      if (count <= maxPerRule) findings.push({ rule: id, severity, message, at, effect: own });
    };
    rule.check(handover, tell, facts);
  }
  return { findings, counts, ran, skipped, effect: tally.effect };
}
