// SPDX-License-Identifier: Apache-2.0
// Family 4, the devices' side: what root, context and PASID tables say of the domains.
import { formatHex } from '../../bytes/hex.js';
import type { Domain } from '../../vtd/domain.js';
import type { VtdDomains } from '../../vtd/domains.js';
import { permissionText } from '../../vtd/extents.js';
import { formatSourceId } from '../../vtd/source-id.js';
import type { TableRoot } from '../../vtd/walk-result.js';
import type { Handover } from '../handover.js';
import type { HandoverDevice, HandoverDomain, HandoverIoas } from '../iommu-state.js';
import type { Area } from '../sorted-areas.js';
import type { Rule, Tell } from './rule.js';

const VTD = 'Intel VT-d specification, sections 3.4, 9.1 to 9.6; vtd-tables.md sections 2 to 5';

/** Where requests without a PASID of a device go. */
interface Context {
  readonly domain: Domain;
  /** Physical address of the context or PASID entry. */
  readonly entry: bigint;
}

/** The contexts of all devices by source id. RTADDR is that of one unit, whose segment nobody tells. */
function contextsBySource({ domains }: VtdDomains): Map<number, Context> {
  const found = new Map<number, Context>();
  for (const domain of domains) {
    for (const { devices, pasid, entry } of domain.attachments)
      for (const { sourceId, ridPasid } of devices)
        if (ridPasid === pasid) found.set(sourceId, { domain, entry });
  }
  return found;
}

function tellDevice(
  tell: Tell,
  domain: HandoverDomain,
  device: HandoverDevice,
  context: Context | undefined,
): void {
  const { topTable, levels, name } = domain;
  const who = `device ${formatSourceId(device.bus * 256 + device.devfn, device.segment)}`;
  const { path, address } = device;
  if (context === undefined) {
    const message = `expected a context entry of ${who}, which is attached to ${name}, found none`;
    tell(message, { path, address, other: topTable });
    return;
  }
  const { entry } = context;
  const root: TableRoot | undefined = context.domain.second ?? context.domain.first;
  const place = { path, address: entry, other: address };
  if (root?.table !== topTable) {
    const found = root === undefined ? context.domain.type : formatHex(root.table);
    tell(`expected ${who} to be translated by the tables at ${formatHex(topTable)}, found ${found}`, place);
  } else if (levels !== undefined && root.levels !== levels) {
    tell(`expected ${levels} levels of tables (AW ${levels - 2}) for ${who}, found ${root.levels}`, place);
  }
  const { domainId } = device;
  if (domainId !== undefined && context.domain.did !== domainId)
    tell(`expected domain id ${domainId} for ${who}, found ${context.domain.did}`, place);
}

function eachDomain({ iommu, given }: Handover): readonly HandoverDomain[] {
  return [...iommu.domains, ...given.spaces.map(({ domain }) => domain)];
}

/** Rules for the tables that lead from devices to domains. */
export const contextRules: readonly Rule[] = [
  {
    id: 'device-context',
    family: 'ioas',
    severity: 'error',
    title: 'The context entry of each device says what the handover says: tables, levels, domain id',
    why: 'Hardware goes by the context entry. If the next kernel believes in other tables, it maps and unmaps where the device does not look, and frees what the device still uses.',
    source: VTD,
    effect: 'corrupt',
    needs: ['domains', 'contexts'],
    check: (handover, tell) => {
      const { contexts } = handover.given;
      if (contexts === undefined) return;
      const bySource = contextsBySource(contexts);
      for (const domain of eachDomain(handover))
        for (const device of domain.devices)
          tellDevice(tell, domain, device, bySource.get(device.bus * 256 + device.devfn));
    },
  },
  {
    id: 'context-tables',
    family: 'ioas',
    severity: 'error',
    title:
      'Root, context and PASID tables are there, hold no reserved bits, and give an id to one domain only',
    why: 'Hardware faults on reserved bits; two domains of one id see each other’s cached mappings.',
    source: VTD,
    effect: 'corrupt',
    needs: ['contexts'],
    check: ({ given }, tell) => {
      for (const { message, address, path } of given.contexts?.findings ?? [])
        tell(message, { path, address });
    },
  },
  {
    id: 'given-spaces',
    family: 'ioas',
    severity: 'error',
    title: 'The tables of every described address space are found',
    why: 'What is not found is not verified.',
    source: 'docs/verify.md, Address spaces from elsewhere',
    effect: 'none',
    needs: ['given'],
    check: ({ given, iommu }, tell) => {
      for (const { message, address, path } of given.issues)
        tell(message, { path, address }, iommu.ioases.length > 0 ? { severity: 'note' } : {});
    },
  },
  {
    id: 'given-serialised',
    family: 'ioas',
    severity: 'error',
    title: 'The handover lists just the areas that are described',
    why: 'The next kernel rebuilds an address space from what was serialised. What the calls of user space made, and the list has not, is lost; what it has too much of maps memory that nobody asked for.',
    source: 'RFC of 2024, patch 05; docs/ioctl-log.md',
    effect: 'silent',
    needs: ['given', 'serialised'],
    check: ({ given, iommu, root }, tell) => {
      for (const space of given.described) {
        const same = iommu.ioases.filter(({ id }) => id === space.id);
        const differences = same.map((ioas) => ({ ioas, found: areaDifferences(space.areas, ioas) }));
        if (differences.some(({ found }) => found.length === 0)) continue;
        const [first] = differences;
        const path = first?.ioas.path ?? '/iommufd';
        if (first === undefined)
          tell(`expected the address space ${space.id} that is described, found none of that id`, {
            path,
            address: root.address,
          });
        for (const message of first?.found ?? []) tell(message, { path, address: root.address });
      }
    },
  },
];

/** What differs between described areas and those that the handover lists, a line each. */
function areaDifferences(areas: readonly Area[], ioas: HandoverIoas): string[] {
  const { count, starts, lengths, protections } = ioas.areas;
  const listed = new Map<bigint, { readonly length: bigint; readonly permission: number }>();
  for (let row = 0; row < count; row++) {
    const permission = (protections[row] ?? 0) & 3;
    listed.set(starts[row] ?? 0n, { length: lengths[row] ?? 0n, permission });
  }
  const differences: string[] = [];
  const areaText = (length: bigint, permission: number): string =>
    `${formatHex(length)} bytes ${permissionText(permission)}`;
  for (const { iova, length, permission } of areas) {
    const other = listed.get(iova);
    listed.delete(iova);
    if (other?.length === length && other.permission === permission) continue;
    const found = other === undefined ? 'no such area' : areaText(other.length, other.permission);
    differences.push(
      `expected an area at IOVA ${formatHex(iova)} of ${areaText(length, permission)}, found ${found}`,
    );
  }
  for (const [iova, { length, permission }] of listed)
    differences.push(
      `expected no area at IOVA ${formatHex(iova)}, found one of ${areaText(length, permission)}`,
    );
  return differences;
}
