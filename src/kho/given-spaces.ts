// SPDX-License-Identifier: Apache-2.0
// What somebody outside of a handover says of address spaces: areas, the memory behind them, the devices that use them.
// docs/verify.md describes the file.
import { formatHex } from '../bytes/hex.js';
import { ADDRESS_WIDTHS } from '../vtd/agaw.js';
import type { VtdDomains } from '../vtd/domains.js';
import type { Stage } from '../vtd/paging-format.js';
import { formatSourceId, parseSourceId } from '../vtd/source-id.js';
import type { TableRoot } from '../vtd/walk-result.js';
import type { Backing } from './area-mappings.js';
import { JsonReader } from './json-reader.js';
import type { Area } from './sorted-areas.js';

const PAGE = 4096n;
const MAX_FRAME = 2 ** 40;

/** A device by its place. */
export interface GivenDevice {
  readonly segment: number;
  readonly sourceId: number;
}

/** An address space as somebody describes it. */
export interface GivenSpace {
  /** Its number, for people. */
  readonly id: number;
  /** Where its tables are, if that is not left to its devices. */
  readonly table: TableRoot | undefined;
  readonly devices: readonly GivenDevice[];
  readonly areas: readonly Area[];
  /** Memory behind the areas, by ascending IOVA, as far as it is known. */
  readonly backing: readonly Backing[];
}

/** All address spaces that somebody describes. */
export interface GivenSpaces {
  /** RTADDR of the unit that translates for the devices. */
  readonly rtaddr: bigint | undefined;
  readonly spaces: readonly GivenSpace[];
}

/**
 * Reads the description of address spaces.
 *
 * @throws BuildError BAD_DESCRIPTION with the path of what is wrong
 */
export function givenSpacesFromJson(json: unknown): GivenSpaces {
  const member = new JsonReader(json).members('root', 'ioases');
  return {
    rtaddr: member('root').optional((reader) => reader.big()),
    spaces: member('ioases').list(space),
  };
}

function space(reader: JsonReader): GivenSpace {
  const member = reader.members('id', 'devices', 'pgd', 'levels', 'stage', 'areas');
  const parts = member('areas').list(area);
  const backing = parts.flatMap(({ pages }) => pages);
  return {
    id: member('id').number(0xffff_ffff),
    devices: member('devices').optional((devices) => devices.list(device)) ?? [],
    table: member('pgd').optional((pgd) => ({
      table: pgd.big((1n << 52n) - 1n) & ~(PAGE - 1n),
      levels: member('levels').optional((levels) => levels.number(5)) ?? 4,
      stage: member('stage').optional(stage) ?? 'second',
    })),
    areas: parts.map(({ iova, length, permission }) => ({ iova, length, permission })),
    backing: backing.sort((a, b) => (a.iova < b.iova ? -1 : a.iova > b.iova ? 1 : 0)),
  };
}

function stage(reader: JsonReader): Stage {
  const text = reader.text();
  return text === 'first' || text === 'second' ? text : reader.fail('"first" or "second"');
}

function device(reader: JsonReader): GivenDevice {
  const found = parseSourceId(reader.text());
  if (found === undefined) return reader.fail('a device as "0000:00:1f.2"');
  return { segment: found.segment ?? 0, sourceId: found.sourceId };
}

function area(reader: JsonReader): Area & { readonly pages: readonly Backing[] } {
  const member = reader.members('iova', 'length', 'perm', 'pages');
  const iova = member('iova').big();
  const length = member('length').big();
  const perm = member('perm').text();
  if (!/^[r-][w-]$/.test(perm)) member('perm').fail('rw, r-, -w or --');
  const permission = (perm[0] === 'r' ? 1 : 0) | (perm[1] === 'w' ? 2 : 0);
  const pages = member('pages').optional((list) =>
    list.list((each) => {
      const [page, pfn, count] = each.list((number) => number.number(MAX_FRAME));
      if (page === undefined || pfn === undefined || count === undefined)
        return each.fail('[page offset, page frame, count]');
      return {
        iova: iova + BigInt(page) * PAGE,
        phys: BigInt(pfn) * PAGE,
        length: BigInt(count) * PAGE,
      };
    }),
  );
  return { iova, length, permission, pages: pages ?? [] };
}

/** Where the tables of an address space are, or why nobody knows. */
export type LocatedSpace =
  | { readonly space: GivenSpace; readonly root: TableRoot; readonly width: number }
  | { readonly space: GivenSpace; readonly reason: string; readonly address: bigint | undefined };

/**
 * Finds the tables of an address space: those that are given, else those that the context and PASID entries of its
 * devices lead to, which must be the same for all.
 *
 * @param contexts - what the unit's tables say, where they are known
 */
export function locateSpace(given: GivenSpace, contexts: VtdDomains | undefined): LocatedSpace {
  const widthOf = ({ levels }: TableRoot): number =>
    ADDRESS_WIDTHS.find((width) => width.levels === levels)?.bits ?? 12 + 9 * levels;
  const unknown = (reason: string, address?: bigint): LocatedSpace => ({ space: given, reason, address });
  if (given.table !== undefined) return { space: given, root: given.table, width: widthOf(given.table) };
  if (contexts === undefined) return unknown('expected pgd, or devices and the root of their unit');
  let found: { readonly root: TableRoot; readonly width: number; readonly device: string } | undefined;
  for (const { segment, sourceId } of given.devices) {
    const name = formatSourceId(sourceId, segment);
    const domain = contexts.domains.find(({ attachments }) =>
      attachments.some(({ devices, pasid }) =>
        devices.some(
          (each) => each.sourceId === sourceId && each.segment === segment && each.ridPasid === pasid,
        ),
      ),
    );
    const root = domain?.second ?? domain?.first;
    if (domain === undefined || root === undefined || domain.type === 'nested')
      return unknown(`expected tables for device ${name}, found ${domain?.type ?? 'no context entry'}`);
    if (found !== undefined && found.root.table !== root.table) {
      const message = `expected device ${name} at the tables of ${found.device}, ${formatHex(found.root.table)}, found ${formatHex(root.table)}`;
      return unknown(message, root.table);
    }
    found ??= { root, width: domain.widthBits ?? widthOf(root), device: name };
  }
  if (found === undefined) return unknown('expected pgd or at least one device');
  return { space: given, root: found.root, width: found.width };
}
