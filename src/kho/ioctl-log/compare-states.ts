// SPDX-License-Identifier: Apache-2.0
// Two sets of iommufds: the same objects up to renumbering, or exactly where not. Objects have no names but ids, which
// may differ: they are matched by what they are and by who holds whom, devices being known by their files.
import { formatHex } from '../../bytes/hex.js';
import { type Area, lengthOf, type Pages, placeOf } from './area.js';
import { coloursOf, factsOf, referencesOf } from './object-facts.js';
import type { Context, Ioas, IommufdObject } from './objects.js';

/** Where two states differ. */
export interface StateDifference {
  /** `ONLY_LEFT`, `ONLY_RIGHT`: one side has it; `DIFFERS`: both have it, and `field` is not the same. */
  readonly code: 'ONLY_LEFT' | 'ONLY_RIGHT' | 'DIFFERS';
  /** Name of the iommufd's file, of the left side where there is one. */
  readonly context: string;
  /** What it is: `iommufd`, `area`, or the type of the object. */
  readonly what: 'iommufd' | 'area' | IommufdObject['type'];
  /** Object id on each side; of an area that of its IOAS. */
  readonly left?: number | undefined;
  readonly right?: number | undefined;
  /** First IOVA of an area. */
  readonly iova?: bigint | undefined;
  readonly field?: string | undefined;
  readonly leftValue?: string | undefined;
  readonly rightValue?: string | undefined;
}

/** How states are compared. */
export interface CompareStatesOptions {
  /** Whether memory that a log does not name is compared by its address; default false: it moves between processes. */
  readonly addresses?: boolean;
}

/**
 * Compares two states. Contexts are matched by the names of their files, then in order; objects by what they are.
 *
 * @returns nothing when they are the same up to object ids
 */
export function compareStates(
  left: readonly Context[],
  right: readonly Context[],
  options: CompareStatesOptions = {},
): readonly StateDifference[] {
  const differences: StateDifference[] = [];
  const others = new Map(right.map((context) => [context.file, context]));
  const single: Context[] = [];
  const pairs: [Context, Context][] = [];
  for (const context of left) {
    const other = others.get(context.file);
    if (other === undefined) single.push(context);
    else pairs.push([context, other]);
    others.delete(context.file);
  }
  const rest = [...others.values()];
  for (const context of single) {
    const other = rest.shift();
    if (other === undefined) differences.push({ code: 'ONLY_LEFT', context: context.file, what: 'iommufd' });
    else pairs.push([context, other]);
  }
  for (const { file } of rest) differences.push({ code: 'ONLY_RIGHT', context: file, what: 'iommufd' });
  const pages = new Map<Pages, Pages>();
  const pagesBack = new Map<Pages, Pages>();
  for (const [a, b] of pairs) compareContexts(a, b, { options, differences, pages, pagesBack });
  return differences;
}

interface Comparison {
  readonly options: CompareStatesOptions;
  readonly differences: StateDifference[];
  /** Which memory of the right side is that of the left, and back. */
  readonly pages: Map<Pages, Pages>;
  readonly pagesBack: Map<Pages, Pages>;
}

function compareContexts(a: Context, b: Context, comparison: Comparison): void {
  const { differences } = comparison;
  const about = { code: 'DIFFERS' as const, context: a.file, what: 'iommufd' as const };
  const settings = (context: Context): readonly (readonly [string, string])[] => [
    ['charges', context.chargesProcess ? 'process' : 'user'],
    ['descriptor', context.isOpen ? 'open' : 'closed'],
  ];
  const other = new Map(settings(b));
  for (const [field, leftValue] of settings(a)) {
    const rightValue = other.get(field);
    if (leftValue !== rightValue) differences.push({ ...about, field, leftValue, rightValue });
  }
  const { matched, onlyLeft, onlyRight } = matchObjects(a, b);
  for (const [left, right] of matched) {
    const place = {
      code: 'DIFFERS' as const,
      context: a.file,
      what: left.type,
      left: left.id,
      right: right.id,
    };
    const [own, others] = [factsOf(left, a), factsOf(right, b)];
    for (const [field, leftValue] of Object.entries(own)) {
      const rightValue = others[field];
      if (leftValue !== rightValue) differences.push({ ...place, field, leftValue, rightValue });
    }
    const [held, heldThere] = [referencesOf(left), referencesOf(right)];
    for (const field of new Set([...Object.keys(held), ...Object.keys(heldThere)])) {
      const [target, targetThere] = [held[field], heldThere[field]];
      if ((target === undefined ? undefined : matched.get(target)) === targetThere) continue;
      const [leftValue, rightValue] = [showReference(target), showReference(targetThere)];
      differences.push({ ...place, field, leftValue, rightValue });
    }
    if (left.type === 'ioas' && right.type === 'ioas') compareAreas(a.file, left, right, comparison);
  }
  for (const { type, id } of onlyLeft)
    differences.push({ code: 'ONLY_LEFT', context: a.file, what: type, left: id });
  for (const { type, id } of onlyRight)
    differences.push({ code: 'ONLY_RIGHT', context: a.file, what: type, right: id });
}

function showReference(object: IommufdObject | undefined): string {
  return object === undefined ? 'none' : `${object.type} ${object.id}`;
}

interface Matched {
  readonly matched: Map<IommufdObject, IommufdObject>;
  readonly onlyLeft: readonly IommufdObject[];
  readonly onlyRight: readonly IommufdObject[];
}

/** Pairs objects: those of one colour, then devices of one file, then those of one id and type, then of one type. */
function matchObjects(a: Context, b: Context): Matched {
  const [colours, coloursThere] = [coloursOf(a), coloursOf(b)];
  const matched = new Map<IommufdObject, IommufdObject>();
  const byId = (x: IommufdObject, y: IommufdObject): number => x.id - y.id;
  let lefts = [...a.objects.values()].sort(byId);
  let rights = [...b.objects.values()].sort(byId);
  const keys: readonly ((object: IommufdObject, colour: string | undefined) => string | undefined)[] = [
    (_, colour) => colour,
    (object) => (object.type === 'device' ? object.file : undefined),
    ({ type, id }) => `${type} ${id}`,
    ({ type }) => type,
  ];
  for (const keyOf of keys) {
    const waiting = new Map<string, IommufdObject[]>();
    for (const right of rights) {
      const key = keyOf(right, coloursThere.get(right));
      if (key === undefined) continue;
      const list = waiting.get(key);
      if (list === undefined) waiting.set(key, [right]);
      else list.push(right);
    }
    for (const list of waiting.values()) list.reverse();
    const taken = new Set<IommufdObject>();
    lefts = lefts.filter((left) => {
      const key = keyOf(left, colours.get(left));
      const right = key === undefined ? undefined : waiting.get(key)?.pop();
      if (right === undefined) return true;
      matched.set(left, right);
      taken.add(right);
      return false;
    });
    rights = rights.filter((right) => !taken.has(right));
  }
  return { matched, onlyLeft: lefts, onlyRight: rights };
}

function compareAreas(context: string, left: Ioas, right: Ioas, comparison: Comparison): void {
  const { differences } = comparison;
  const about = { context, what: 'area' as const, left: left.id, right: right.id };
  const [ours, theirs] = [left.space.areas.from(), right.space.areas.from()];
  let [a, b] = [nextOf(ours), nextOf(theirs)];
  while (a !== undefined || b !== undefined) {
    if (b === undefined || (a !== undefined && a.start < b.start)) {
      differences.push({ ...about, code: 'ONLY_LEFT', iova: a?.start, leftValue: a && showArea(a) });
      a = nextOf(ours);
    } else if (a === undefined || b.start < a.start) {
      differences.push({ ...about, code: 'ONLY_RIGHT', iova: b.start, rightValue: showArea(b) });
      b = nextOf(theirs);
    } else {
      for (const [field, leftValue, rightValue] of areaFields(a, b, comparison))
        if (leftValue !== rightValue)
          differences.push({ ...about, code: 'DIFFERS', iova: a.start, field, leftValue, rightValue });
      [a, b] = [nextOf(ours), nextOf(theirs)];
    }
  }
}

function nextOf(areas: Iterator<Area, void, undefined>): Area | undefined {
  const { value } = areas.next();
  return value ?? undefined;
}

function showArea(area: Area): string {
  return `${formatHex(lengthOf(area))} bytes, prot ${area.prot}`;
}

type AreaField = readonly [field: string, left: string, right: string];

function areaFields(a: Area, b: Area, { options, pages, pagesBack }: Comparison): readonly AreaField[] {
  const fields: AreaField[] = [
    ['length', formatHex(lengthOf(a)), formatHex(lengthOf(b))],
    ['prot', `${a.prot}`, `${b.prot}`],
    ['memory can be written', `${a.pages.writable}`, `${b.pages.writable}`],
  ];
  if (options.addresses === true || (a.pages.isNamed && b.pages.isNamed))
    fields.push(['memory', showPlace(a), showPlace(b)]);
  // Copies share memory with what they were copied from: also that has to be so on both sides.
  const [known, knownBack] = [pages.get(a.pages), pagesBack.get(b.pages)];
  if (known === undefined && knownBack === undefined) {
    pages.set(a.pages, b.pages);
    pagesBack.set(b.pages, a.pages);
  } else if (known !== b.pages) {
    const show = (other: Pages | undefined): string =>
      other === undefined ? 'nothing before it' : 'an area before it';
    const isBoth = known !== undefined && knownBack !== undefined;
    fields.push(['shared with', show(known), isBoth ? 'another area before it' : show(knownBack)]);
  }
  return fields;
}

function showPlace(area: Area): string {
  const { token, offset } = placeOf(area);
  return `${token} at ${formatHex(offset)}`;
}
