// SPDX-License-Identifier: Apache-2.0
// What a change to a whole handover is, and how most of them are made: another value in a declared field.
import type { PageStore } from '../image/page-store.js';
import type { KernelEffect } from '../kho/rules/rule.js';
import { encodeUnchecked } from '../schemas/lang/encode.js';
import { showValue } from '../schemas/lang/show.js';
import type { HandoverBench } from './handover-bench.js';
import type { Random } from './random.js';
import type { Spot } from './spots.js';

/** Where a change is made. */
export interface Site {
  /** The handover as it was. */
  readonly bench: HandoverBench;
  /** Its memory, to be written to. */
  readonly store: PageStore;
  readonly random: Random;
  /** The description of address spaces beside it, as parsed JSON; to be changed in place. */
  readonly areas: unknown;
}

/** A change that was made. */
export interface Change {
  /** Path of what was changed, as findings have it. */
  readonly at: string;
  /** What it was and what it is now. */
  readonly detail: string;
}

/** Makes a change; `undefined` where a handover has nothing that could be changed so. */
export type Apply = (site: Site) => Change | undefined;

/** A change of one kind to a whole handover. */
export interface ImageOperator {
  /** Short and stable. */
  readonly id: string;
  /** What kind of change: `counts`, `pointers`, `versions`, … */
  readonly family: string;
  /** What it does, in a line. */
  readonly doc: string;
  /** Families of layouts whose part of the handover it damages. */
  readonly on: readonly string[];
  /** Verify rules that must tell it. */
  readonly rules: readonly string[];
  /** Codes that must be among the issues of the handover. */
  readonly codes?: readonly string[];
  /** What the kernel that the handover is for does. */
  readonly effect: KernelEffect;
  readonly apply: Apply;
}

/** Changes a field. The value may be a bigint where the field's are numbers. */
export function put({ store }: Site, spot: Spot, value: unknown): Change {
  const { address, type, path, field, value: old } = spot;
  store.write(address, encodeUnchecked(type, value));
  return { at: path, detail: `${field} was ${showPlain(old)}, is ${showPlain(value)}` };
}

function showPlain(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return showValue(value);
  const parts = Object.entries(value).map(([name, part]) => `${name} ${showValue(part)}`);
  return `{ ${parts.join(', ')} }`;
}

/** What a field becomes; `undefined` where this one will not do. */
export type NewValue = (old: bigint, spot: Spot, site: Site) => unknown;

/**
 * A change to one field, chosen at random from those that will do.
 *
 * @param holders - names of the structs or containers that the field is in
 */
export function inField(holders: readonly string[], field: string, value: NewValue): Apply {
  return (site) => {
    const fits: { readonly spot: Spot; readonly value: unknown }[] = [];
    for (const spot of site.bench.fields(holders, field)) {
      const found = value(numberOf(spot.value), spot, site);
      if (found !== undefined) fits.push({ spot, value: found });
    }
    const chosen = site.random.pick(fits);
    return chosen && put(site, chosen.spot, chosen.value);
  };
}

/** A field of the same instance of a struct: the one whose path differs in the last name only. */
export function sibling({ bench }: Site, { path }: Spot, field: string): Spot | undefined {
  return bench.at(path.replace(/[^./]*$/, '') + field);
}

/** The number that a field holds; 0 for text and such. */
export function numberOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  return typeof value === 'number' ? BigInt(value) : 0n;
}

/** Tries changes one after the other, from a random one on. */
export function oneOf(...changes: readonly Apply[]): Apply {
  return (site) => {
    const first = site.random.below(changes.length);
    for (let at = 0; at < changes.length; at++) {
      const made = changes[(first + at) % changes.length]?.(site);
      if (made !== undefined) return made;
    }
    return undefined;
  };
}

/** An address within 52 bits that no machine here has. */
export const BEYOND = 0x8_0000_0000_0000n;

/** Gives two fields of one list the same value; the first of them keeps its own. */
export function twins(holders: readonly string[], field: string): Apply {
  return (site) => {
    const lists = new Map<bigint, Spot[]>();
    for (const spot of site.bench.fields(holders, field)) {
      const own = lists.get(spot.block) ?? [];
      lists.set(spot.block, own);
      own.push(spot);
    }
    const list = site.random.pick([...lists.values()].filter(({ length }) => length > 1)) ?? [];
    const later = 1 + site.random.below(Math.max(1, list.length - 1));
    const [first] = list;
    const spot = list[later];
    return first && spot && put(site, spot, first.value);
  };
}
