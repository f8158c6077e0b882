// SPDX-License-Identifier: Apache-2.0
import type { ImageMemory } from '../image/image-memory.js';
import { type GivenSpaces, givenSpacesFromJson } from '../kho/given-spaces.js';
import { Handover } from '../kho/handover.js';
import { type Verification, verifyHandover } from '../kho/verify.js';
import { type PreservedBit, preservedBits } from './preserved-bits.js';
import { type Spot, spotsOf } from './spots.js';

/**
 * Opens a handover.
 *
 * @param areas - what `--areas` of `kho verify` takes, parsed, where there is such a description
 * @param root - physical address of the root, where it is known
 * @throws HandoverError NO_ROOT; ImageError; BuildError BAD_DESCRIPTION
 */
export function openWithAreas(memory: ImageMemory, areas: unknown, root?: bigint): Handover {
  const given: GivenSpaces | undefined = areas === undefined ? undefined : givenSpacesFromJson(areas);
  return Handover.open(memory, { given, root });
}

/** A sound handover that cases are made from: read once, never changed. */
export class HandoverBench {
  readonly memory: ImageMemory;
  /** What `--areas` of `kho verify` takes, parsed; `undefined` where nobody describes address spaces. */
  readonly areas: unknown;
  readonly handover: Handover;
  /** Rules that tell something of it as it is. */
  readonly told: ReadonlySet<string>;
  #spots: readonly Spot[] | undefined;
  #byField: Map<string, Spot[]> | undefined;
  #byPath: Map<string, Spot> | undefined;
  #bits: readonly PreservedBit[] | undefined;

  /** @throws HandoverError NO_ROOT where there is no handover; ImageError where it cannot be read */
  constructor(memory: ImageMemory, areas?: unknown) {
    this.memory = memory;
    this.areas = areas;
    this.handover = openWithAreas(memory, areas);
    this.told = new Set(verifyHandover(this.handover, { maxPerRule: 1 }).counts.keys());
  }

  /**
   * Judges a changed copy just as `kho verify IMAGE` does, with `--areas` where somebody describes some; where nothing in
   * memory leads to the root, it is taken to be where it was. `codes` are those of all that was wrong while it was read.
   */
  judge(memory: ImageMemory, areas?: unknown): Verification & { readonly codes: ReadonlySet<string> } {
    const { setupData, root } = this.handover;
    const known = setupData === undefined ? root.address : undefined;
    const handover = openWithAreas(memory, areas, known);
    const verification = verifyHandover(handover, { maxPerRule: 1 });
    return { ...verification, codes: new Set(handover.issues.map(({ code }) => code)) };
  }

  /** Every declared field of it. */
  get spots(): readonly Spot[] {
    this.#spots ??= spotsOf(this.handover);
    return this.#spots;
  }

  /** The fields of this name, in structs or containers of one of these names. */
  fields(holders: readonly string[], field: string): readonly Spot[] {
    this.#byField ??= byField(this.spots);
    return (this.#byField.get(field) ?? []).filter(({ holder }) => holders.includes(holder));
  }

  /** The field with this path. */
  at(path: string): Spot | undefined {
    this.#byPath ??= new Map(this.spots.map((spot) => [spot.path, spot]));
    return this.#byPath.get(path);
  }

  /** Every bit of its map of preserved memory. */
  get preservedBits(): readonly PreservedBit[] {
    this.#bits ??= preservedBits(this.handover);
    return this.#bits;
  }
}

function byField(spots: readonly Spot[]): Map<string, Spot[]> {
  const found = new Map<string, Spot[]>();
  for (const spot of spots) {
    const own = found.get(spot.field) ?? [];
    found.set(spot.field, own);
    own.push(spot);
  }
  return found;
}
