// SPDX-License-Identifier: Apache-2.0
// What becomes of each part of a handover when another kernel boots, as the kernels' code has it (7.3.4 and the trees
// that the versions name): who looks at what first, who refuses, what a refusal does.
import { khoRoot } from '../schemas/abi/kho-root.js';
import { khoSetupData } from '../schemas/abi/kho-scratch.js';
import { luo } from '../schemas/abi/luo.js';
import { type Family, type MismatchEffect, type Version, versionName } from '../schemas/lang/family.js';
import { families, type KnownVersion } from '../schemas/registry.js';
import { parseRelease } from '../schemas/releases.js';
import type { KernelSet } from './kernel-set.js';
import { layoutFit } from './layout-fit.js';

/**
 * What becomes of a part:
 * `restored`; `unclaimed`, nobody reads it and its memory stays reserved; `ignored`, refused with a warning;
 * `fresh`, refused and memory allocated afresh; `open-fails`, opening its session fails; `start-fails`, its subsystem
 * does not start; `panic`, the kernel stops; `plain-boot`, no handover at all, nothing stays reserved;
 * `misread`, taken for something that it is not.
 */
export type CompatEffect =
  | 'restored'
  | 'unclaimed'
  | 'ignored'
  | 'fresh'
  | 'open-fails'
  | 'start-fails'
  | 'panic'
  | 'plain-boot'
  | 'misread';

/** The prediction for one part of a handover. */
export interface CompatOutcome {
  /** What it is of: name of the family, or the version string of a handler that no layout is declared for. */
  readonly component: string;
  /** Where it lies: `setup_data`, `/`, `/LUO`, `files of sessions`. */
  readonly where: string;
  /** Name of the version that is handed over. */
  readonly written: string;
  /** Names of the versions that the booted kernel reads; empty when it knows none of the family. */
  readonly reads: readonly string[];
  readonly effect: CompatEffect;
  readonly why: string;
  /** Kernel sources that the two versions are declared after. */
  readonly sources: readonly string[];
}

/** First release in which LUO stops the kernel when it cannot read what it was handed; before, LUO only fails to start. */
const PANIC_SINCE = [7, 2];

/**
 * Predicts what becomes of each part that `from` hands over once `to` is booted, what carries other parts first.
 *
 * @param from - its `writes` are handed over
 * @param to - its `reads` are what the booted kernel knows
 *
 * @example
 * ```ts
 * import { kernelSet, predictHandover } from 'kho-toolkit/kho';
 *
 * const from = kernelSet('7.3');
 * const to = kernelSet('7.1');
 * if (from === undefined || to === undefined) throw new Error('no such release');
 * for (const { where, effect, why } of predictHandover(from, to)) console.log(where, effect, why);
 * ```
 */
export function predictHandover(from: KernelSet, to: KernelSet): readonly CompatOutcome[] {
  const outcomes: CompatOutcome[] = [];
  const byFamily = new Map<Family, CompatOutcome>();
  for (const family of inOrder()) {
    for (const written of from.writes.filter((each) => each.family === family)) {
      const outcome = predictPart(written, to, carrierOf(family, byFamily));
      outcomes.push(outcome);
      byFamily.set(family, outcome);
    }
  }
  for (const handler of from.otherHandlers) outcomes.push(predictHandler(handler, to, byFamily.get(luo)));
  return outcomes;
}

/** Families in the order in which a booting kernel comes to them. */
function inOrder(): readonly Family[] {
  const first = [khoSetupData, khoRoot, luo];
  return [...first, ...families.filter((family) => !first.includes(family))];
}

/** The outcome of what leads to a family, if that is known. */
function carrierOf(family: Family, outcomes: ReadonlyMap<Family, CompatOutcome>): CompatOutcome | undefined {
  const entry = outcomes.get(khoSetupData);
  if (family === khoSetupData) return undefined;
  if (family === khoRoot) return entry;
  const root = outcomes.get(khoRoot) ?? entry;
  if (root !== undefined && root.effect !== 'restored') return root;
  return isInSession(family) ? outcomes.get(luo) : root;
}

function isInSession({ lookup }: Family): boolean {
  return lookup?.group === 'luo-file' || lookup?.group === 'luo-flb';
}

/** Where a family's blob is found, in words. */
function placeOf(family: Family): string {
  if (family === khoSetupData) return 'setup_data';
  if (family === khoRoot) return '/';
  if (family.lookup?.group === 'luo-file') return 'files of sessions';
  if (family.lookup?.group === 'luo-flb') return 'objects of LUO';
  return `/${family.lookup?.name ?? family.name.replace(/^rfc-/, '')}`;
}

function predictPart(
  written: KnownVersion,
  to: KernelSet,
  carrier: CompatOutcome | undefined,
): CompatOutcome {
  const { family, version } = written;
  const known = to.reads.filter((each) => each.family === family);
  const about = {
    component: family.name,
    where: placeOf(family),
    written: versionName(version),
    reads: known.map((each) => versionName(each.version)),
    sources: [...new Set([version, ...known.map((each) => each.version)].map(({ source }) => source))],
  };
  const outcome = (effect: CompatEffect, why: string): CompatOutcome => ({ ...about, effect, why });
  if (carrier !== undefined && carrier.effect !== 'restored')
    return { ...outcome(carrier.effect, `lost with ${carrier.component}, which leads to it`), sources: [] };
  if (known.length === 0) return outcome(...unknownFamily(family));
  const same = known.filter((each) => each.version.key === version.key);
  if (same.some((each) => each.version === version)) {
    return outcome('restored', `${shortName(version)} is what it reads`);
  }
  const [reader] = same;
  if (reader === undefined) {
    const theirs = [...new Set(known.map((each) => shortName(each.version)))].join(', ');
    return outcome(
      refusal(family, to),
      `${refusedBy(family)} compares ${shortName(version)} with its own ${theirs}`,
    );
  }
  const fit = layoutFit(reader.version.layout, version.layout);
  const names = `${versionName(version)} for ${versionName(reader.version)}`;
  if (fit.kind === 'misread')
    return outcome('misread', `the string ${version.key} is the same, and it takes ${names} at ${fit.path}`);
  if (fit.kind === 'missing')
    return outcome(refusal(family, to), `the string ${version.key} is the same, but it wants ${fit.path}`);
  const passed = fit.passedOver.length === 0 ? '' : `; ${fit.passedOver.join(', ')} passed over`;
  return outcome('restored', `it takes ${names}, which fits${passed}`);
}

/** What a version says of itself, without the variant that no kernel can tell. */
function shortName({ name, key }: Version): string {
  return name ?? key;
}

function unknownFamily(family: Family): [CompatEffect, string] {
  if (family === khoRoot || family === khoSetupData) return ['plain-boot', 'it knows no handover'];
  if (family.lookup?.group === 'luo-file') return ['open-fails', 'it has no handler for such files'];
  return ['unclaimed', 'nothing in it asks for this'];
}

/** What it does when `family` is refused by kernel `to`. */
function refusal(family: Family, to: KernelSet): CompatEffect {
  if (family === khoRoot || family === khoSetupData) return 'plain-boot';
  if (family.mismatch !== 'panic') return EFFECTS[family.mismatch];
  const first = to.reads.find((each) => each.family === family)?.version.first;
  const [major = 0, minor = 0] = (first === undefined ? undefined : parseRelease(first)) ?? PANIC_SINCE;
  const [panicMajor = 0, panicMinor = 0] = PANIC_SINCE;
  return major > panicMajor || (major === panicMajor && minor >= panicMinor) ? 'panic' : 'start-fails';
}

const EFFECTS: Readonly<Record<MismatchEffect, CompatEffect>> = {
  ignored: 'ignored',
  fresh: 'fresh',
  'open-fails': 'open-fails',
  panic: 'panic',
};

/** Who in the kernel compares version strings of a family. */
function refusedBy(family: Family): string {
  if (family === khoSetupData) return 'the boot code';
  if (family === khoRoot) return 'KHO';
  return family.lookup?.group === 'luo-file' ? 'LUO' : family.name;
}

function predictHandler(handler: string, to: KernelSet, carrier: CompatOutcome | undefined): CompatOutcome {
  const about = { component: handler, where: 'files of sessions', written: handler, reads: [], sources: [] };
  if (carrier !== undefined && carrier.effect !== 'restored')
    return { ...about, effect: carrier.effect, why: `lost with ${carrier.component}, which leads to it` };
  if (to.otherHandlers.includes(handler))
    return {
      ...about,
      reads: [handler],
      effect: 'restored',
      why: 'both have this handler; no layout is declared for it',
    };
  return { ...about, effect: 'open-fails', why: 'it has no handler for such files' };
}

/** What a handover comes to as a whole, worst first: the marks of the matrix. */
export type CompatVerdict = 'misread' | 'plain-boot' | 'refused' | 'unclaimed' | 'restored';

/**
 * What the parts come to. `refused`: the root is taken and something above it is not; `unclaimed`: all that is read is
 * taken, and something is not read.
 */
export function verdictOf(outcomes: readonly CompatOutcome[]): CompatVerdict {
  const effects = new Set(outcomes.map(({ effect }) => effect));
  if (effects.has('misread')) return 'misread';
  if (effects.has('plain-boot')) return 'plain-boot';
  for (const effect of ['panic', 'start-fails', 'open-fails', 'fresh'] as const)
    if (effects.has(effect)) return 'refused';
  return effects.has('unclaimed') || effects.has('ignored') ? 'unclaimed' : 'restored';
}
