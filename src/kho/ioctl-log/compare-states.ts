// SPDX-License-Identifier: Apache-2.0
// Two sets of iommufds: the same objects up to renumbering, or exactly where not. Objects have no names but ids, which
// may differ: they are matched by what they are and by who holds whom, devices being known by their files.
import { formatHex, hexBytes } from '../../bytes/hex.js';
import { type Area, lengthOf, type Pages, placeOf } from './address-space.js';
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

/** What an object is besides its references, by name; each a text that is equal exactly where the objects are. */
type Facts = Readonly<Record<string, string>>;
type References = Readonly<Record<string, IommufdObject | undefined>>;

function factsOf(object: IommufdObject, context: Context): Facts {
  switch (object.type) {
    case 'ioas': {
      const { largePages, allowed } = object.space;
      const ranges = allowed.map(({ start, last }) => `${formatHex(start)}-${formatHex(last)}`);
      return {
        'huge pages': largePages ? 'on' : 'off',
        'allowed ranges': ranges.length === 0 ? 'all' : ranges.join(' '),
        'VFIO container': context.vfioIoas === object ? 'yes' : 'no',
      };
    }
    case 'hwpt':
      return {
        made: object.auto ? 'by attaching' : 'by HWPT_ALLOC',
        flags: formatHex(object.flags),
        'data type': `${object.dataType}`,
        data: object.data === undefined ? 'none' : hexBytes(object.data),
        'IOMMU unit': object.unit,
        'dirty tracking': object.dirtyTracking ? 'on' : 'off',
      };
    case 'device':
      return { file: object.file };
    case 'fault':
      return {};
    case 'viommu':
      return { type: `${object.kind}`, 'IOMMU unit': object.unit };
    case 'vdevice':
      return { 'virtual id': formatHex(object.virtId) };
    case 'veventq':
      return { type: `${object.kind}`, depth: `${object.depth}` };
    case 'hw-queue': {
      const { kind, index, iova, length } = object;
      return { type: `${kind}`, index: `${index}`, iova: formatHex(iova), length: formatHex(length) };
    }
  }
}

function referencesOf(object: IommufdObject): References {
  switch (object.type) {
    case 'hwpt': {
      const { ioas, parent, viommu, fault } = object;
      return { IOAS: ioas, parent, vIOMMU: viommu, 'fault queue': fault };
    }
    case 'device':
      return Object.fromEntries(
        [...object.attachments].map(([pasid, hwpt]) => [
          pasid < 0 ? 'page table' : `page table of PASID ${pasid}`,
          hwpt,
        ]),
      );
    case 'viommu':
      return { 'page table': object.hwpt };
    case 'vdevice':
      return { vIOMMU: object.viommu, device: object.device };
    case 'veventq':
    case 'hw-queue':
      return { vIOMMU: object.viommu };
    default:
      return {};
  }
}

/** A short text that differs where area lists do, as far as 64 bits can tell; matched lists are compared exactly. */
function areasDigest(ioas: Ioas): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (const { start, last, prot } of ioas.space.areas.from()) {
    for (const word of [start >> 12n, last >> 12n, BigInt(prot)]) {
      const number = Number(BigInt.asUintN(32, word ^ (word >> 32n)));
      low = Math.imul(low ^ number, 0x01000193) >>> 0;
      high = (Math.imul(high + number, 0x85ebca6b) ^ (low >>> 7)) >>> 0;
    }
  }
  return `${ioas.space.areas.size} ${low} ${high}`;
}

/** How far references are followed when objects are told apart: from a virtual device to its IOAS and back. */
const ROUNDS = 5;

/** Colours of objects: equal colours say that nothing within {@link ROUNDS} references tells two apart. */
function coloursOf(context: Context): Map<IommufdObject, string> {
  const objects = [...context.objects.values()];
  let colours = new Map(
    objects.map((object) => {
      const areas = object.type === 'ioas' ? areasDigest(object) : '';
      return [object, `${object.type} ${JSON.stringify(factsOf(object, context))} ${areas}`] as const;
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const holders = new Map<IommufdObject, string[]>();
    const next = objects.map((object) => {
      const held = Object.entries(referencesOf(object)).flatMap(([name, target]) => {
        if (target === undefined) return [];
        const list = holders.get(target) ?? [];
        list.push(`${name} ${colours.get(object)}`);
        holders.set(target, list);
        return [`${name}=${digest(colours.get(target) ?? '')}`];
      });
      return { object, held: held.sort().join(' ') };
    });
    colours = new Map(
      next.map(({ object, held }) => {
        const by = (holders.get(object) ?? []).map(digest).sort().join(' ');
        return [object, `${object.type} ${digest(colours.get(object) ?? '')} ${held} | ${by}`] as const;
      }),
    );
  }
  return colours;
}

/** Text of any length as 53 bits in base 36. */
function digest(text: string): string {
  let [low, high] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x9e3779b1) >>> 0;
    high = Math.imul(high ^ code, 0x5f356495) >>> 0;
  }
  return ((high & 0x1fffff) * 0x1_0000_0000 + low).toString(36);
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
