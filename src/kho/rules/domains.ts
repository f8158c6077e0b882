// SPDX-License-Identifier: Apache-2.0
// Family 4, second part: domains, their page tables and their devices.
import { formatHex } from '../../bytes/hex.js';
import type { DomainWalk } from '../domain-walk.js';
import type { Handover } from '../handover.js';
import { areaPath, domainSpaces, holderOf } from './ioas.js';
import type { Rule, Tell } from './rule.js';

const VTD = 'Intel VT-d specification, sections 3.6, 3.7 and 9; vtd-tables.md';

const iova = (frame: number): string => formatHex(BigInt(frame) << 12n);

/** Whether somebody describes the domain: it may be one of the handover, or another description's. */
function isGiven({ given }: Handover, { domain }: DomainWalk): boolean {
  return given.spaces.some((each) => each.domain === domain);
}

/** Tables that are wrong in themselves, by the walker's code. */
function tellWalk(tell: Tell, { walks }: Handover): void {
  for (const { domain, result, issue } of walks) {
    const { path, address } = domain;
    if (issue !== undefined) tell(issue.message, { path, address, other: domain.topTable });
    for (const finding of result?.findings ?? []) {
      if (finding.code === 'BEYOND_WIDTH') continue;
      const message = `${finding.message} (${domain.name}, level ${finding.level}, IOVA ${formatHex(finding.iova)})`;
      tell(message, { path, address: finding.address, other: domain.topTable });
    }
  }
}

/** Rules for domains. */
export const domainRules: readonly Rule[] = [
  {
    id: 'domain-width',
    family: 'ioas',
    severity: 'error',
    title: 'IOVAs lie within the width of the domain',
    why: 'Hardware refuses addresses beyond the width that the context entry says.',
    source: VTD,
    effect: 'silent',
    needs: ['domains'],
    check: (handover, tell) => {
      for (const { domain, spaces } of domainSpaces(handover)) {
        const { name, width, address, path } = domain;
        for (const ioas of width === undefined ? [] : spaces) {
          for (let row = 0; row < ioas.areas.count; row++) {
            const end = (ioas.areas.starts[row] ?? 0n) + (ioas.areas.lengths[row] ?? 0n);
            if (width === undefined || end <= 1n << BigInt(width)) continue;
            const message = `expected IOVAs of ${width} bits in ${name}, found an area that ends before ${formatHex(end)}`;
            tell(message, { path: areaPath(ioas, row), address: holderOf(handover, ioas), other: address });
          }
        }
        const walk = handover.partial ? undefined : handover.walks.find((each) => each.domain === domain);
        for (const finding of walk?.result?.findings ?? [])
          if (finding.code === 'BEYOND_WIDTH')
            tell(`${finding.message} (${name})`, { path, address: finding.address, other: address });
      }
    },
  },
  {
    id: 'domain-tables',
    family: 'ioas',
    severity: 'error',
    title:
      'Page tables can be walked: tables are there and reached once, superpages aligned, reserved bits zero',
    why: 'Hardware walks them while the kernels change over. It faults on reserved bits, and reads whatever lies where a table should be.',
    source: VTD,
    effect: 'corrupt',
    needs: ['tables'],
    check: (handover, tell) => tellWalk(tell, handover),
  },
  {
    id: 'domain-shared',
    family: 'ioas',
    severity: 'error',
    title: 'No page of page tables belongs to two domains',
    why: 'What one domain maps or unmaps, the other does too; the first to be freed takes the tables of the other.',
    source: VTD,
    effect: 'corrupt',
    needs: ['tables'],
    check: (handover, tell) => {
      // A walk names each page once.
      if (handover.walks.length < 2) return;
      const first = new Map<number, DomainWalk>();
      for (const walk of handover.walks) {
        for (const pages of walk.result?.tablePages ?? []) {
          for (const pfn of pages) {
            const before = first.get(pfn);
            if (before === undefined) first.set(pfn, walk);
            else if (before.domain.topTable !== walk.domain.topTable || !isGiven(handover, walk)) {
              const message = `expected tables of its own for ${walk.domain.name}, found ${iova(pfn)}, which ${before.domain.name} walks as well`;
              tell(message, {
                path: walk.domain.path,
                address: BigInt(pfn) << 12n,
                other: before.domain.topTable,
              });
            }
          }
        }
      }
    },
  },
  {
    id: 'device-domains',
    family: 'ioas',
    severity: 'error',
    title: 'A device is attached to one domain, and devices of one domain id to the same tables',
    why: 'Hardware tags what it caches with the domain id: two domains of one id on one unit see each other’s mappings.',
    source: 'iommu-liveupdate.md section 6; VT-d specification, section 6.2',
    effect: 'corrupt',
    needs: ['domains'],
    check: ({ iommu }, tell) => {
      const byDevice = new Map<string, { readonly address: bigint; readonly topTable: bigint }>();
      const byId = new Map<string, { readonly address: bigint; readonly topTable: bigint }>();
      for (const { devices, topTable } of iommu.domains) {
        for (const { segment, bus, devfn, domainId, unit, address, path } of devices) {
          const name = `${bus.toString(16).padStart(2, '0')}:${(devfn >> 3).toString(16).padStart(2, '0')}.${devfn & 7}`;
          const device = `${segment ?? '?'}:${name}`;
          const twin = byDevice.get(device);
          if (twin !== undefined)
            tell(
              `expected device ${name} in one domain, found it in that of ${formatHex(twin.topTable)} as well`,
              { path, address, other: twin.address },
            );
          else byDevice.set(device, { address, topTable });
          if (domainId === undefined || unit === undefined) continue;
          const id = `${unit}:${domainId}`;
          const before = byId.get(id);
          if (before === undefined) byId.set(id, { address, topTable });
          else if (before.topTable !== topTable) {
            const message = `expected domain id ${domainId} to stand for the tables at ${formatHex(before.topTable)}, found ${formatHex(topTable)} for device ${name}`;
            tell(message, { path, address, other: before.address });
          }
        }
      }
    },
  },
];
