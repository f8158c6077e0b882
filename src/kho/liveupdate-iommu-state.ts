// SPDX-License-Identifier: Apache-2.0
// What the records of iommu-liveupdate, which no merged kernel writes, say of page tables.
import { formatHex } from '../bytes/hex.js';
import { isRecord } from '../schemas/lang/input.js';
import type { Reached } from '../schemas/lang/memory.js';
import type { HandoverDevice, HandoverDomain, HandoverUnit, IommuState } from './iommu-state.js';
import { elementsOf, type LuoState } from './luo-state.js';

type Values = Readonly<Record<string, unknown>>;

/** A member of a record, found by the way of names that leads to it, structs and bit fields on the way. */
function member(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((found, name) => (isRecord(found) ? found[name] : undefined), value);
}

const big = (value: unknown): bigint | undefined => (typeof value === 'bigint' ? value : undefined);
const small = (value: unknown): number | undefined =>
  typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;

/** Records that are marked as deleted stay in their slots. */
function isDeleted(value: Values): boolean {
  const header = value['hdr'] ?? value['obj'];
  const flags = member(header, 'flags');
  return typeof flags === 'number' ? (flags & 1) !== 0 : member(header, 'state', 'deleted') === 1;
}

/** What the lists of iommu-liveupdate say, which an object bound to files (FLB) of LUO leads to. */
export function liveupdateState(luo: LuoState, reached: readonly Reached[]): IommuState {
  const roots = luo.flbs.filter(({ name }) => /^iommu-/.test(name)).map(({ path }) => `${path}.data.`);
  const domains: (Omit<HandoverDomain, 'devices'> & { readonly devices: HandoverDevice[] })[] = [];
  const devices: { readonly device: HandoverDevice; readonly domain: bigint }[] = [];
  const units: HandoverUnit[] = [];
  for (const each of roots.length === 0 ? [] : reached) {
    if (!roots.some((root) => each.path.startsWith(root))) continue;
    for (const { element } of elementsOf(each)) {
      const { value, address, path } = element;
      if (isDeleted(value)) continue;
      const topTable = big(value['top_table_phys']) ?? big(value['top_table']);
      if (topTable !== undefined) domains.push(listDomain(value, topTable, address, path));
      else if (value['devid'] !== undefined) {
        const map = value['domain_iommu_ser'];
        const holder = isRecord(map) ? map : value;
        devices.push({
          device: listDevice(value, holder, address, path),
          domain: big(holder['domain_phys']) ?? 0n,
        });
      } else if (value['token'] !== undefined) units.push(listUnit(value, address, path));
    }
  }
  const byAddress = new Map(domains.map((domain) => [domain.address, domain]));
  for (const { device, domain } of devices) byAddress.get(domain)?.devices.push(device);
  return { domains, ioases: [], units, issues: [] };
}

function listDomain(
  value: Values,
  topTable: bigint,
  address: bigint,
  path: string,
): Omit<HandoverDomain, 'devices'> & { readonly devices: HandoverDevice[] } {
  const level = small(value['top_level']);
  const levels = level !== undefined && level >= 2 && level <= 4 ? level + 1 : undefined;
  const sign = isRecord(value['sign_extend']) ? value['sign_extend']['sign_extend'] : value['sign_extend'];
  return {
    name: `domain at ${formatHex(address)}`,
    persistentId: undefined,
    topTable,
    levels,
    width: small(value['vasz']) ?? (levels === undefined ? undefined : 12 + 9 * levels),
    signExtend: sign === undefined ? undefined : sign === 1,
    mem: undefined,
    devices: [],
    address,
    path,
  };
}

function listDevice(value: Values, map: Values, address: bigint, path: string): HandoverDevice {
  const devid = small(value['devid']) ?? 0;
  return {
    segment: small(value['pci_domain_nr']) ?? small(value['pci_domain']),
    bus: (devid >> 8) & 0xff,
    devfn: devid & 0xff,
    domainId: small(map['attachment_id']) ?? small(map['did']),
    pasidTable: big(value['pasid_table']) ?? big(member(value, 'intel', 'pasid_table')),
    unit: big(map['iommu_phys']),
    address,
    path,
  };
}

function listUnit(value: Values, address: bigint, path: string): HandoverUnit {
  const intel = member(value, 'arch', 'intel');
  const bitmap = member(intel, 'context_tables_bitmap');
  return {
    registers: big(value['token']) ?? 0n,
    rootTable: big(member(intel, 'root_table')) ?? big(value['root_table']),
    contextTables: Array.isArray(bitmap) ? bitmap.map((word) => big(word) ?? 0n) : undefined,
    address,
    path,
  };
}
