// SPDX-License-Identifier: Apache-2.0
// What the nodes of the RFC of 2024 say of I/O address spaces and page tables.
import { formatHex } from '../bytes/hex.js';
import { type Issue, KhoError } from '../bytes/issue.js';
import type { Fdt, FdtNode } from '../fdt/fdt.js';
import { PAGE_SIZE } from '../image/physical-memory.js';
import { khoRootV1Tree } from '../schemas/abi/kho-2023.js';
import { dmarDomainMem } from '../schemas/abi/rfc-intel-iommu.js';
import { compileColumns } from '../schemas/lang/columns.js';
import { sizeOf } from '../schemas/lang/size.js';
import { compileStructColumns } from '../schemas/lang/struct-columns.js';
import { addressWidth } from '../vtd/agaw.js';
import { halvesOf, pageFrames } from './address-columns.js';
import type {
  HandoverDevice,
  HandoverDomain,
  HandoverIoas,
  IommuState,
  ListedMemory,
} from './iommu-state.js';

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
  const address = halvesOf(addresses);
  const length = halvesOf(lengths);
  for (let row = 0, told = 0; row < count && told < LIST_ISSUES; row++) {
    const [low, high] = [address[2 * row] ?? 0, address[2 * row + 1] ?? 0];
    const isPage = length[2 * row] === PAGE_SIZE && length[2 * row + 1] === 0;
    if (isPage && low % PAGE_SIZE === 0 && (low | high) !== 0) continue;
    told++;
    const found = `${formatHex(lengths[row] ?? 0n)} bytes at ${formatHex(addresses[row] ?? 0n)}`;
    const message = `expected one page on a page boundary, found ${found}`;
    issues.push({ code: 'BAD_VALUE', path: `${path}[${row}]`, message, address: base + BigInt(node.offset) });
  }
  return { count, addresses, frames: pageFrames(addresses), lengths };
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
