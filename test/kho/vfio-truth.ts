// SPDX-License-Identifier: Apache-2.0
// What the guest of a VFIO capture said of its areas (truth.json: ioctls in the order issued, PFNs from pagemap).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Area, Backing } from '../../src/kho/area-mappings.js';
import { MAPPING } from '../../src/vtd/index.js';

interface Truth {
  readonly areas: readonly {
    readonly ioas: number;
    readonly iova: string;
    readonly length: string;
    readonly prot: string;
    readonly mapped: boolean;
    readonly runs: readonly (readonly [page: number, pfn: number, count: number])[];
  }[];
}

/** The areas of one IOAS and the memory behind them. */
export interface IoasTruth {
  readonly ioas: number;
  readonly areas: readonly Area[];
  readonly backing: readonly Backing[];
}

/** Reads the areas of a capture's truth.json. @param folder that of the capture */
export function readIoasTruth(folder: string): IoasTruth[] {
  const truth: Truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8'));
  const mapped = truth.areas.filter((area) => area.mapped);
  return [...new Set(mapped.map(({ ioas }) => ioas))].map((ioas) => {
    const own = mapped.filter((area) => area.ioas === ioas);
    return {
      ioas,
      areas: own.map(({ iova, length, prot }) => ({
        iova: BigInt(iova),
        length: BigInt(length),
        permission: (prot[0] === 'r' ? MAPPING.READ : 0) | (prot[1] === 'w' ? MAPPING.WRITE : 0),
      })),
      backing: own
        .flatMap(({ iova, runs }) =>
          runs.map(([page, pfn, count]) => ({
            iova: BigInt(iova) + BigInt(page) * 4096n,
            phys: BigInt(pfn) * 4096n,
            length: BigInt(count) * 4096n,
          })),
        )
        .sort((a, b) => (a.iova < b.iova ? -1 : 1)),
    };
  });
}
