// SPDX-License-Identifier: Apache-2.0
// The address spaces of the VFIO captures as `kho verify --areas` takes them, from what the guests said of themselves.
import type { DescribedSpaces } from '../../src/fuzz/device-contexts.js';
import { type Guest, truthOf } from '../vtd/truth.js';

/** What a guest mapped, for whom, and where it lies. */
export function describeSpaces(guest: Guest): DescribedSpaces {
  const { registers, attach, areas } = truthOf(guest);
  return {
    root: registers.RTADDR,
    ioases: [...new Set(attach.map(([, id]) => id))].map((id) => ({
      id,
      devices: attach.filter(([, ioas]) => ioas === id).map(([device]) => device),
      areas: areas
        .filter(({ ioas, mapped }) => mapped && ioas === id)
        .map(({ iova, length, prot: perm, runs }) => ({ iova, length, perm, pages: [...runs] })),
    })),
  };
}
