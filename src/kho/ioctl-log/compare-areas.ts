// SPDX-License-Identifier: Apache-2.0
// A replayed iommufd against the areas that a kernel serialised: approach 1 of the RFC of 2024.
import { lengthOf } from './area.js';
import type { Context, Ioas } from './objects.js';

/** An area as the RFC of 2024 writes it: node `/iommufd/iommufds/<id>/ioases/<object>/<area>`. */
export interface SerialisedArea {
  readonly iova: bigint;
  /** Bytes. */
  readonly length: bigint;
  /** iommu-prot: 5 read, 6 write, 7 both. */
  readonly prot: number;
}

/** A serialised IOAS. */
export interface SerialisedIoas {
  /** Its object id in the kernel that wrote it. */
  readonly id: number;
  /** By ascending IOVA. */
  readonly areas: readonly SerialisedArea[];
}

/**
 * What differs between a replayed and a serialised iommufd: an IOAS or an area that only one has, or another length or
 * protection of an area at one IOVA.
 */
export interface AreaDifference {
  readonly code:
    | 'IOAS_NOT_SERIALISED'
    | 'IOAS_NOT_IN_LOG'
    | 'NOT_SERIALISED'
    | 'NOT_IN_LOG'
    | 'LENGTH'
    | 'PROT';
  /** Object id of the IOAS. */
  readonly ioas: number;
  /** First IOVA of the area; left out for a whole IOAS. */
  readonly iova?: bigint | undefined;
  readonly replayed?: SerialisedArea | undefined;
  readonly serialised?: SerialisedArea | undefined;
}

/** The areas of a replayed IOAS, by ascending IOVA. */
export function* areasOf(ioas: Ioas): Generator<SerialisedArea, void, undefined> {
  for (const area of ioas.space.areas.from())
    yield { iova: area.start, length: lengthOf(area), prot: area.prot };
}

/** The IOASes of a context by object id, as they would be serialised. */
export function ioasesOf(context: Context): readonly Ioas[] {
  const found: Ioas[] = [];
  for (const object of context.objects.values()) if (object.type === 'ioas') found.push(object);
  return found.sort((a, b) => a.id - b.id);
}

/**
 * Compares a replayed iommufd with a serialised one, IOAS by IOAS (by object id) and area by area: kernels do not merge
 * areas, so that each must be there as it was mapped.
 */
export function compareReplayWithAreas(
  context: Context,
  serialised: readonly SerialisedIoas[],
): readonly AreaDifference[] {
  const differences: AreaDifference[] = [];
  const others = new Map(serialised.map((each) => [each.id, each]));
  for (const ioas of ioasesOf(context)) {
    const other = others.get(ioas.id);
    others.delete(ioas.id);
    if (other === undefined) differences.push({ code: 'IOAS_NOT_SERIALISED', ioas: ioas.id });
    else compareAreas(ioas, other.areas, differences);
  }
  for (const { id } of others.values()) differences.push({ code: 'IOAS_NOT_IN_LOG', ioas: id });
  return differences;
}

function compareAreas(ioas: Ioas, areas: readonly SerialisedArea[], differences: AreaDifference[]): void {
  const sorted = areas.toSorted((a, b) => (a.iova < b.iova ? -1 : a.iova > b.iova ? 1 : 0));
  const { id } = ioas;
  let index = 0;
  for (const replayed of areasOf(ioas)) {
    for (
      let other = sorted[index];
      other !== undefined && other.iova < replayed.iova;
      other = sorted[++index]
    )
      differences.push({ code: 'NOT_IN_LOG', ioas: id, iova: other.iova, serialised: other });
    const other = sorted[index];
    const about = { ioas: id, iova: replayed.iova, replayed };
    if (other === undefined || other.iova !== replayed.iova) {
      differences.push({ ...about, code: 'NOT_SERIALISED' });
      continue;
    }
    index++;
    if (other.length !== replayed.length) differences.push({ ...about, code: 'LENGTH', serialised: other });
    if (other.prot !== replayed.prot) differences.push({ ...about, code: 'PROT', serialised: other });
  }
  for (const other of sorted.slice(index))
    differences.push({ code: 'NOT_IN_LOG', ioas: id, iova: other.iova, serialised: other });
}
