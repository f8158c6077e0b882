// SPDX-License-Identifier: Apache-2.0
import { type ComparedValue, sameValue } from './compared-value.js';

/** What a difference between two handovers is about. */
export type ChangePart =
  | 'kernel'
  | 'consumer'
  | 'region'
  | 'session'
  | 'file'
  | 'flb'
  | 'preserved'
  | 'ioas'
  | 'area'
  | 'domain'
  | 'device'
  | 'mapping'
  | 'unit';

/** One difference between what two handovers mean. */
export interface HandoverChange {
  readonly part: ChangePart;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What it is about, as names of the input: `["session-a", "0x5"]` is the file of token 5 in that session. */
  readonly of: readonly string[];
  /** Which property of it changed; '' for the thing itself. */
  readonly field: string;
  /** `undefined` where there is none. */
  readonly before: ComparedValue | undefined;
  readonly after: ComparedValue | undefined;
}

/**
 * What two handovers are compared without, or what differs between them without meaning anything: `encoding`, versions
 * of formats; `placement`, where their own pages lie; `unknown`, what could not be compared.
 */
export interface DiffNote {
  readonly kind: 'encoding' | 'placement' | 'unknown';
  /** One line; names of the input in it are escaped. */
  readonly text: string;
}

/** Takes what differs and what is noted, while things are compared. */
export interface ChangeSink {
  change(change: HandoverChange): void;
  note(kind: DiffNote['kind'], text: string): void;
}

/** What came of comparing two handovers. */
export interface HandoverDiff {
  readonly changes: readonly HandoverChange[];
  readonly notes: readonly DiffNote[];
}

/** Collects differences and notes. */
export class ChangeList implements ChangeSink, HandoverDiff {
  readonly changes: HandoverChange[] = [];
  readonly notes: DiffNote[] = [];

  change(change: HandoverChange): void {
    this.changes.push(change);
  }

  note(kind: DiffNote['kind'], text: string): void {
    this.notes.push({ kind, text });
  }
}

/** What has been compared with what, by name. `undefined` on one side where only the other has it. */
export interface Pair<T> {
  readonly name: string;
  readonly a: T | undefined;
  readonly b: T | undefined;
}

/**
 * Pairs what two lists have by name, in the order of the first list, then what only the second has. Of several of one
 * name, first goes with first; later ones have their number in their name.
 */
export function pairByName<T>(a: readonly T[], b: readonly T[], nameOf: (each: T) => string): Pair<T>[] {
  const named = (list: readonly T[]): Map<string, T> => {
    const counts = new Map<string, number>();
    return new Map(
      list.map((each) => {
        const name = nameOf(each);
        const count = (counts.get(name) ?? 0) + 1;
        counts.set(name, count);
        return [count === 1 ? name : `${name} (number ${count})`, each];
      }),
    );
  };
  const [inA, inB] = [named(a), named(b)];
  const pairs: Pair<T>[] = [...inA].map(([name, each]) => ({ name, a: each, b: inB.get(name) }));
  for (const [name, each] of inB) if (!inA.has(name)) pairs.push({ name, a: undefined, b: each });
  return pairs;
}

/** Tells a property that is different, or that only one side has. */
export function compareField(
  where: Pick<HandoverChange, 'part' | 'of' | 'field'>,
  before: ComparedValue | undefined,
  after: ComparedValue | undefined,
  sink: ChangeSink,
): void {
  const same = before === undefined || after === undefined ? before === after : sameValue(before, after);
  if (!same) sink.change({ ...where, kind: 'changed', before, after });
}
