// SPDX-License-Identifier: Apache-2.0
// I/O address spaces and page tables that a handover names: the nodes of the RFC of 2024, and the records of
// iommu-liveupdate, which no merged kernel writes.
import { formatHex } from '../bytes/hex.js';
import { type Issue, KhoError } from '../bytes/issue.js';
import type { Fdt, FdtNode } from '../fdt/fdt.js';
import { khoRootV1Tree } from '../schemas/abi/kho-2023.js';
import { dmarDomainMem } from '../schemas/abi/rfc-intel-iommu.js';
import { compileColumns } from '../schemas/lang/columns.js';
import { isRecord } from '../schemas/lang/input.js';
import type { Reached } from '../schemas/lang/memory.js';
import { sizeOf } from '../schemas/lang/size.js';
import { compileStructColumns } from '../schemas/lang/struct-columns.js';
import { addressWidth } from '../vtd/agaw.js';
import { elementsOf, type LuoState } from './luo-state.js';

/** A device attached to a domain. */
export interface HandoverDevice {
  /** PCI segment; `undefined` where it is not saved. */
  readonly segment: number | undefined;
  readonly bus: number;
  /** Device << 3 | function. */
  readonly devfn: number;
  /** Domain id in its context or PASID entry; `undefined` where it is not saved. */
  readonly domainId: number | undefined;
  /** Physical address of its PASID directory; `undefined` where it is not saved, 0 in legacy mode. */
  readonly pasidTable: bigint | undefined;
  /** Physical address of the record of its hardware unit; `undefined` where it is not saved. */
  readonly unit: bigint | undefined;
  /** Physical address of what says all this. */
  readonly address: bigint;
  readonly path: string;
}

/** Memory that an RFC domain lists as preserved for its page tables. */
export interface ListedMemory {
  readonly count: number;
  /** Physical addresses, in the order of the list. */
  readonly addresses: BigUint64Array;
  /** Sizes in bytes. */
  readonly lengths: BigUint64Array;
}

/** A domain: one set of page tables. */
export interface HandoverDomain {
  /** For people: `domain 1`, `domain at 0x7000`. */
  readonly name: string;
  /** Id of the iommufd that it belongs to, in the RFC of 2024. */
  readonly persistentId: bigint | undefined;
  /** Physical address of the top table. */
  readonly topTable: bigint;
  /** Levels of tables, 3 to 5; `undefined` where what says it makes no sense. */
  readonly levels: number | undefined;
  /** Width of its IOVAs in bits; as `levels`. */
  readonly width: number | undefined;
  /** Whether addresses are sign-extended, as in first-stage tables; `undefined` where it is not saved. */
  readonly signExtend: boolean | undefined;
  /** What its `mem` lists; `undefined` where there is no such list. */
  readonly mem: ListedMemory | undefined;
  readonly devices: readonly HandoverDevice[];
  /** Physical address of what says all this. */
  readonly address: bigint;
  readonly path: string;
}

/** The areas of an I/O address space as columns, in the order of the tree. */
export interface AreaColumns {
  readonly count: number;
  /** Names of the nodes. */
  readonly names: Uint32Array;
  /** First IOVA of each. */
  readonly starts: BigUint64Array;
  /** Sizes in bytes. */
  readonly lengths: BigUint64Array;
  /** READ 1, WRITE 2, CACHE 4, NOEXEC 8, MMIO 16, PRIV 32. */
  readonly protections: Int32Array;
}

/** An I/O address space (IOAS) of a preserved iommufd. */
export interface HandoverIoas {
  /** Persistent id of its iommufd; `undefined` where somebody else describes it. */
  readonly iommufd: number | undefined;
  /** Object id in the old kernel. */
  readonly id: number;
  readonly areas: AreaColumns;
  readonly path: string;
}

/** A hardware unit of iommu-liveupdate. */
export interface HandoverUnit {
  /** Physical address of its registers. */
  readonly registers: bigint;
  /** Physical address of its root table; `undefined` where it is not saved. */
  readonly rootTable: bigint | undefined;
  /** Bit bus << 1 | devfn >> 7 is set for context tables that are preserved; `undefined` where it is not saved. */
  readonly contextTables: readonly bigint[] | undefined;
  readonly address: bigint;
  readonly path: string;
}

/** All that a handover says of IOMMUs. */
export interface IommuState {
  readonly domains: readonly HandoverDomain[];
  readonly ioases: readonly HandoverIoas[];
  readonly units: readonly HandoverUnit[];
  /** What could not be read. */
  readonly issues: readonly Issue[];
}

const readAreas = compileColumns(khoRootV1Tree, [
  'iommufd',
  'iommufds',
  'iommufds',
  'ioases',
  'ioases',
  'areas',
]);
const readMem = compileStructColumns(dmarDomainMem);
const MEM_SIZE = sizeOf(dmarDomainMem) ?? 16;

/**
 * What the one tree of the RFC of 2024 says.
 *
 * @param base - physical address of the blob
 */
export function rfcState(fdt: Fdt, base: bigint): IommuState {
  const issues: Issue[] = [];
  const domains: HandoverDomain[] = [];
  const folder = fdt.root?.child('intel-iommu')?.child('domains');
  for (const node of folder?.children() ?? []) domains.push(rfcDomain(node, base, issues));
  return { domains, ioases: rfcIoases(fdt, base, issues), units: [], issues };
}

function rfcIoases(fdt: Fdt, base: bigint, issues: Issue[]): HandoverIoas[] {
  if (fdt.root?.child('iommufd') === undefined) return [];
  try {
    const { groups, columns, names } = readAreas(fdt.bytes);
    const { 'iova-start': starts, 'iova-len': lengths, 'iommu-prot': protections } = columns;
    if (
      !(
        starts instanceof BigUint64Array &&
        lengths instanceof BigUint64Array &&
        protections instanceof Int32Array
      )
    )
      return [];
    return groups.map(({ names: [iommufd, id], start, end }) => ({
      iommufd: Number(iommufd),
      id: Number(id),
      path: `/iommufd/iommufds/${iommufd}/ioases/${id}`,
      areas: {
        count: end - start,
        names: names.subarray(start, end),
        starts: starts.subarray(start, end),
        lengths: lengths.subarray(start, end),
        protections: protections.subarray(start, end),
      },
    }));
  } catch (error) {
    if (!(error instanceof KhoError)) throw error;
    const { issue } = error;
    issues.push({ ...issue, address: base + BigInt(issue.offset ?? 0) });
    return [];
  }
}

/** Issues that one list gives at most. */
const LIST_ISSUES = 100;

/** What `mem` lists; elements that are no page become issues. */
function listedMemory(node: FdtNode, base: bigint, issues: Issue[]): ListedMemory | undefined {
  const mem = node.property('mem');
  if (mem === undefined) return undefined;
  const path = `${node.path}/mem`;
  const size = mem.value.length - (mem.value.length % MEM_SIZE);
  if (size !== mem.value.length) {
    const message = `expected whole elements of ${MEM_SIZE} bytes, found ${mem.value.length} bytes`;
    issues.push({ code: 'BAD_LENGTH', path, message, address: base + BigInt(node.offset) });
  }
  const { count, columns } = readMem(mem.value.subarray(0, size));
  const { addr: addresses, len: lengths } = columns;
  if (!(addresses instanceof BigUint64Array && lengths instanceof BigUint64Array)) return undefined;
  for (let row = 0, told = 0; row < count && told < LIST_ISSUES; row++) {
    const address = addresses[row] ?? 0n;
    const length = lengths[row] ?? 0n;
    if ((address & 0xfffn) === 0n && length === 0x1000n && address !== 0n) continue;
    told++;
    const found = `${formatHex(length)} bytes at ${formatHex(address)}`;
    const message = `expected one page on a page boundary, found ${found}`;
    issues.push({ code: 'BAD_VALUE', path: `${path}[${row}]`, message, address: base + BigInt(node.offset) });
  }
  return { count, addresses, lengths };
}

function rfcDomain(node: FdtNode, base: bigint, issues: Issue[]): HandoverDomain {
  const { address: at, path } = { address: base + BigInt(node.offset), path: node.path };
  const u64 = (name: string): bigint | undefined => viewOf(node, name, 8)?.getBigUint64(0, true);
  const agaw = viewOf(node, 'agaw', 4)?.getInt32(0, true);
  const width = agaw === undefined ? undefined : addressWidth(agaw);
  const devices: HandoverDevice[] = [];
  for (const device of node.child('devices')?.children() ?? []) {
    const bus = viewOf(device, 'bus', 1)?.getUint8(0);
    const devfn = viewOf(device, 'devfn', 1)?.getUint8(0);
    if (bus === undefined || devfn === undefined) continue;
    const unknown = { segment: undefined, domainId: undefined, pasidTable: undefined, unit: undefined };
    devices.push({ ...unknown, bus, devfn, address: base + BigInt(device.offset), path: device.path });
  }
  return {
    name: `domain ${node.name}`,
    persistentId: u64('persistent_id'),
    topTable: u64('pgd') ?? 0n,
    levels: width?.levels,
    width: width?.bits,
    signExtend: undefined,
    mem: listedMemory(node, base, issues),
    devices,
    address: at,
    path,
  };
}

function viewOf(node: FdtNode, name: string, length: number): DataView | undefined {
  const value = node.property(name)?.value;
  return value?.length === length ? new DataView(value.buffer, value.byteOffset, length) : undefined;
}

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
