// SPDX-License-Identifier: Apache-2.0
// Replayed IOASes as `kho verify` takes them: areas that page tables are held against.
import { MAPPING } from '../../vtd/paging-format.js';
import { parseSourceId } from '../../vtd/source-id.js';
import type { Backing } from '../area-mappings.js';
import type { GivenDevice, GivenSpaces } from '../given-spaces.js';
import type { Area } from '../sorted-areas.js';
import { lengthOf, PROT } from './area.js';
import { ioasesOf } from './compare-areas.js';
import type { LogMemory } from './log.js';
import { mappedExtents } from './mapped-extents.js';
import type { Context, Ioas } from './objects.js';

/** The areas of a replayed IOAS, and the memory behind them as far as the log's memories say where it lay. */
export function areasWithBacking(
  ioas: Ioas,
  memories: readonly LogMemory[],
): { readonly areas: readonly Area[]; readonly backing: readonly Backing[] } {
  const areas: Area[] = [];
  for (const area of ioas.space.areas.from()) {
    const read = (area.prot & PROT.READ) === 0 ? 0 : MAPPING.READ;
    const write = (area.prot & PROT.WRITE) === 0 ? 0 : MAPPING.WRITE;
    areas.push({ iova: area.start, length: lengthOf(area), permission: read | write });
  }
  const backing = mappedExtents(ioas, memories).flatMap(({ iova, length, address }) =>
    address === undefined ? [] : [{ iova, length, phys: address }],
  );
  return { areas, backing };
}

/**
 * Describes every replayed IOAS that has a device, for the rules that hold address spaces against page tables. Devices
 * count whose files the log calls by PCI address (`0000:00:04.0`).
 *
 * @param memories - of the log
 * @param rtaddr - value of RTADDR of the devices' VT-d unit
 */
export function spacesOfReplay(
  contexts: readonly Context[],
  memories: readonly LogMemory[],
  rtaddr: bigint | undefined,
): GivenSpaces {
  const spaces = contexts.flatMap((context) => {
    const devices = new Map<Ioas, GivenDevice[]>();
    for (const object of context.objects.values()) {
      if (object.type !== 'device') continue;
      const source = parseSourceId(object.file);
      const hwpt = object.attachments.get(-1);
      if (source === undefined || hwpt === undefined || hwpt.parent !== undefined) continue;
      const list = devices.get(hwpt.ioas) ?? [];
      list.push({ segment: source.segment ?? 0, sourceId: source.sourceId });
      devices.set(hwpt.ioas, list);
    }
    return ioasesOf(context).flatMap((ioas) => {
      const own = devices.get(ioas);
      if (own === undefined) return [];
      return [{ id: ioas.id, table: undefined, devices: own, ...areasWithBacking(ioas, memories) }];
    });
  });
  return { rtaddr, spaces };
}
