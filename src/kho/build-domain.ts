// SPDX-License-Identifier: Apache-2.0
// Page tables for the domains of a made-up handover.
import type { PageRun } from '../image/page-runs.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';
import { TableBuilder } from '../vtd/build.js';
import { MAPPING } from '../vtd/paging-format.js';
import { badDescription } from './build-error.js';
import type { DomainDescription } from './build-rfc.js';
import type { AreaDescription, MappedDomainDescription, MappingDescription } from './handover-description.js';
import type { HandoverSpace } from './handover-space.js';

/** IOMMU_READ and IOMMU_WRITE of include/linux/iommu.h; iommufd maps with both and IOMMU_CACHE. */
const IOMMU_READ = 1;
const IOMMU_WRITE = 2;
const DEFAULT_PROT = 7;

/**
 * Makes second-stage tables of a domain's mappings, in free pages.
 *
 * @param areas - those of the IOAS that the domain is of, mapped where the description has no mappings of its own
 * @throws BuildError BAD_DESCRIPTION, NO_ROOM
 * @throws WalkError for mappings that overlap, or do not fit the tables
 */
export function mapDomain(
  description: MappedDomainDescription,
  areas: readonly AreaDescription[],
  space: HandoverSpace,
  path: string,
): DomainDescription {
  const { id, levels = 4, devices, mem, largestLeaf = 1, mappings = areas } = description;
  if (levels < 3 || levels > 5) throw badDescription(`${path}.levels`, '3, 4 or 5', `${levels}`);
  const tables: PageRun[] = [];
  const builder = new TableBuilder({
    stage: 'second',
    levels,
    largestLeaf,
    allocate: () => {
      const pfn = space.free.take(0);
      tables.push({ pfn, count: 1 });
      return pfn;
    },
    put: (pfn, page) => space.memory.putPage(pfn, page.slice()),
  });
  const ordered: MappingDescription[] = [...mappings].sort((a, b) => (a.iova < b.iova ? -1 : 1));
  for (const { iova, length, prot = DEFAULT_PROT, phys = target(length, largestLeaf, space) } of ordered) {
    const bits =
      ((prot & IOMMU_READ) === 0 ? 0 : MAPPING.READ) | ((prot & IOMMU_WRITE) === 0 ? 0 : MAPPING.WRITE);
    builder.map(iova, phys, length, bits);
  }
  const { table } = builder.finish();
  return {
    id,
    pgd: table,
    agaw: levels - 2,
    tables,
    ...(devices !== undefined && { devices }),
    ...(mem !== undefined && { mem }),
  };
}

/** Free memory for a device to write to; its pages do not come into the image. */
function target(length: bigint, largestLeaf: number, space: HandoverSpace): bigint {
  const count = Number((length + BigInt(PAGE_SIZE - 1)) >> BigInt(PAGE_SHIFT));
  const align = Math.min(512 ** (largestLeaf - 1), 2 ** Math.floor(Math.log2(Math.max(count, 1))));
  return BigInt(space.free.takeRun(count, align)) << BigInt(PAGE_SHIFT);
}
