// SPDX-License-Identifier: Apache-2.0
import { failAt } from './lang/error.js';
import { type Family, type Version, versionName } from './lang/family.js';
import type { Step, StepMemory } from './lang/step.js';
import type { Layout } from './lang/type.js';
import { families } from './registry.js';
import { luoSteps } from './steps/luo.js';
import { memfdSteps } from './steps/memfd.js';

/** A step with the versions that it is between. */
export interface KnownStep {
  readonly family: Family;
  readonly from: Version;
  readonly to: Version;
  readonly step: Step;
}

const declared: readonly Step[] = [...luoSteps, ...memfdSteps];

/** Every step that is known. */
export const steps: readonly KnownStep[] = Object.freeze(
  declared.map((step) => {
    const [family, from] = owner(step.from);
    const [, to] = owner(step.to, family);
    return Object.freeze({ family, from, to, step });
  }),
);

function owner(layout: Layout, within?: Family): readonly [Family, Version] {
  for (const family of within === undefined ? families : [within]) {
    const version = family.versions.find((each) => each.layout === layout);
    if (version !== undefined) return [family, version];
  }
  throw new TypeError(`a step of a layout that no version of ${within?.name ?? 'any family'} has`);
}

/**
 * The fewest steps from one version of a format to another.
 *
 * @param from - name of a version, as `versionName` gives it
 * @returns none for a version to itself, `undefined` where there is no way
 */
export function stepsBetween(from: string, to: string): readonly KnownStep[] | undefined {
  const ways = new Map<string, readonly KnownStep[]>([[from, []]]);
  // A map visits what is added while it is visited: nearest versions first.
  for (const [name, way] of ways) {
    if (name === to) return way;
    for (const step of steps) {
      const next = versionName(step.to);
      if (versionName(step.from) === name && !ways.has(next)) ways.set(next, [...way, step]);
    }
  }
  return undefined;
}

/**
 * Converts a value step by step.
 *
 * @param way - of {@link stepsBetween}
 * @throws SchemaError NO_LAYOUT where a step has no conversion; as the conversions do
 */
export function convertAlong(way: readonly KnownStep[], value: unknown, memory: StepMemory): unknown {
  return way.reduce<unknown>((current, { from, to, step }) => {
    if (step.convert !== undefined) return step.convert(current, memory);
    const place = { offset: 0, path: '' };
    throw failAt(place, 'NO_LAYOUT', `a conversion from ${versionName(from)} to ${versionName(to)}`, 'none');
  }, value);
}
