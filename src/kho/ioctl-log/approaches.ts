// SPDX-License-Identifier: Apache-2.0
// The three ways to carry an iommufd over a live update that the review of the RFC of 2024 left on the table, worked out
// for one recorded machine (<20240916113102.710522-1-jgowans@amazon.com>, <20241003132725.GA2456194@ziepe.ca>).
import { iommuDeviceIntelD, iommuDomainD } from '../../schemas/abi/iommu-liveupdate.js';
import { iommuUnitIntel } from '../../schemas/abi/iommu-liveupdate-parts.js';
import { ioctls } from '../../schemas/abi/iommufd-ioctls.js';
import { dmarDomainMem } from '../../schemas/abi/rfc-intel-iommu.js';
import { iommufdV0 } from '../../schemas/abi/rfc-iommufd.js';
import { encode } from '../../schemas/lang/encode.js';
import { sizeOf } from '../../schemas/lang/size.js';
import { parseRelease } from '../../schemas/releases.js';
import { encodeLogBlob } from './blob.js';
import { areasOf, ioasesOf } from './compare-areas.js';
import type { IoasTableResult } from './ioas-tables.js';
import type { IoctlLog } from './log.js';
import type { Minimised } from './minimise.js';
import type { Context, IommufdObject } from './objects.js';

/** What one approach costs and loses. */
export interface Approach {
  /** `structs`: kernels serialise theirs; `re-drive`: user space makes the calls again; `replay`: of a log handed over. */
  readonly name: 'structs' | 're-drive' | 'replay';
  readonly title: string;
  /** Bytes that are written for the next kernel or its user. */
  readonly bytes: number;
  /** Bytes of page tables that stay in place; `undefined` where no image was looked at, 0 where none have to. */
  readonly tableBytes: number | undefined;
  /** Fields or calls that restore the state. */
  readonly restores: { readonly count: number; readonly what: 'fields' | 'calls' };
  /** What is lost, in words. */
  readonly lost: readonly string[];
  /** Which kernels accept it, in words. */
  readonly kernels: string;
}

/** How many of each type there are. */
type Counts = Readonly<
  Record<IommufdObject['type'] | 'attachment' | 'unnamed area' | 'area' | 'setting', number>
>;

/**
 * What each approach comes to for the end state of a log.
 *
 * @param contexts - the replayed state
 * @param minimised - of the same log
 * @param tables - the page tables of its IOASes, where an image was looked at
 */
export function compareApproaches(
  contexts: readonly Context[],
  minimised: Minimised,
  tables: readonly IoasTableResult[] | undefined,
): readonly Approach[] {
  const counts = countsOf(contexts);
  const tablePages = tables?.reduce((sum, { tablePages: pages }) => sum + pages, 0);
  const tableBytes = tablePages === undefined ? undefined : tablePages * 4096;
  return [
    structsApproach(contexts, counts, tablePages, tables?.length ?? 0),
    redriveApproach(counts, minimised, tableBytes),
    replayApproach(counts, minimised),
  ];
}

function countsOf(contexts: readonly Context[]): Counts {
  const counts = {
    ioas: 0,
    hwpt: 0,
    device: 0,
    fault: 0,
    viommu: 0,
    vdevice: 0,
    veventq: 0,
    'hw-queue': 0,
    attachment: 0,
    'unnamed area': 0,
    area: 0,
    setting: 0,
  };
  for (const context of contexts) {
    if (context.chargesProcess) counts.setting++;
    for (const object of context.objects.values()) {
      counts[object.type]++;
      if (object.type === 'device') counts.attachment += object.attachments.size;
      if (object.type !== 'ioas') continue;
      const { space } = object;
      counts.setting += (space.allowed.length > 0 ? 1 : 0) + (space.largePages ? 0 : 1);
      for (const { pages } of space.areas.from()) {
        counts.area++;
        if (!pages.isNamed) counts['unnamed area']++;
      }
    }
  }
  return counts;
}

function some(count: number, what: string, many = `${what}s`): readonly string[] {
  return count === 0 ? [] : [`${count} ${count === 1 ? what : many}`];
}

/** Approach 1: iommufd-v0 and intel-iommu-v0 of the RFC. */
function structsApproach(
  contexts: readonly Context[],
  counts: Counts,
  tablePages: number | undefined,
  tables: number,
): Approach {
  const blob = encode(iommufdV0, {
    compatible: 'iommufd-v0',
    iommufds: {
      iommufds: contexts.map((context, index) => ({
        $name: index + 1,
        ioases: {
          ioases: ioasesOf(context).map((ioas) => ({
            $name: ioas.id,
            areas: [...areasOf(ioas)].map(({ iova, length, prot }, $name) => ({
              $name,
              'iova-start': iova,
              'iova-len': length,
              'iommu-prot': prot,
            })),
          })),
        },
      })),
    },
  });
  // Of each iommufd one domain is written, whichever page table was made first.
  const saved = Math.min(counts.hwpt, contexts.length);
  const lost = [
    ...some(counts.area, 'mapping: memory behind it', 'mappings: memory behind them'),
    ...some(
      counts.hwpt - saved,
      'page table: one an iommufd is written',
      'page tables: one an iommufd is written',
    ),
    ...some(counts.attachment, 'attachment'),
    ...some(counts.setting, 'setting'),
    ...some(
      counts.fault + counts.viommu + counts.vdevice + counts.veventq + counts['hw-queue'],
      'object of guests',
      'objects of guests',
    ),
    'object ids',
  ];
  return {
    name: 'structs',
    title: 'serialise structs',
    bytes: blob.length + (tablePages ?? 0) * (sizeOf(dmarDomainMem) ?? 0),
    tableBytes: tablePages === undefined ? undefined : tablePages * 4096,
    restores: {
      count: 3 * counts.area + 3 * Math.min(saved, tables || saved) + 2 * counts.device,
      what: 'fields',
    },
    lost,
    kernels: 'none but that of the RFC of 2024',
  };
}

/** Approach 2: page tables stay; the user makes its calls again, and the kernel compares. */
function redriveApproach(counts: Counts, minimised: Minimised, tableBytes: number | undefined): Approach {
  const size = (layout: Parameters<typeof sizeOf>[0], count: number): number => (sizeOf(layout) ?? 0) * count;
  const bytes =
    size(iommuDomainD, counts.hwpt) + size(iommuDeviceIntelD, counts.device) + size(iommuUnitIntel, 1);
  return {
    name: 're-drive',
    title: 'user space re-drives, the kernel verifies',
    bytes,
    tableBytes,
    restores: { count: minimised.after, what: 'calls' },
    lost: [
      ...some(
        counts['unnamed area'],
        'mapping of memory without a name',
        'mappings of memory without a name',
      ),
      'object ids, unless the log is complete',
    ],
    kernels: 'the iommu-liveupdate series (mailing list, 2026)',
  };
}

/** Approach 3: the log itself is handed over and replayed. */
function replayApproach(counts: Counts, { log, after }: Minimised): Approach {
  return {
    name: 'replay',
    title: 'serialise and replay ioctls',
    bytes: encodeLogBlob(log).length,
    tableBytes: 0,
    restores: { count: after, what: 'calls' },
    lost: [
      ...some(
        counts['unnamed area'],
        'mapping of memory without a name',
        'mappings of memory without a name',
      ),
      'DMA between kexec and the end of the replay',
    ],
    kernels: `those with these ioctls: ${releaseOf(log)} on`,
  };
}

/** The first release that has every ioctl of a log. */
function releaseOf(log: IoctlLog): string {
  let newest = '6.2';
  for (const record of log.records) {
    if (record.kind !== 'ioctl') continue;
    const first = ioctls[record.call].first;
    if (first === undefined) return 'newer than 7.2';
    const [major = 0, minor = 0] = parseRelease(first) ?? [];
    const [newestMajor = 0, newestMinor = 0] = parseRelease(newest) ?? [];
    if (major > newestMajor || (major === newestMajor && minor > newestMinor)) newest = first;
  }
  return `Linux ${newest}`;
}
