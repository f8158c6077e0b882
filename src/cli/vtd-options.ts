// SPDX-License-Identifier: Apache-2.0
// What the actions of kho vtd are given: where tables start, which device, what is known of the hardware.
import { formatHex } from '../bytes/hex.js';
import type { PhysicalMemory } from '../image/index.js';
import {
  type Capabilities,
  type DevicePath,
  type DeviceRoot,
  decodeCapabilities,
  findDevice,
  formatSourceId,
  GuestMemory,
  type NestedRoot,
  pagingFormat,
  parseSourceId,
  type TableRoot,
} from '../vtd/index.js';
import { parseAddress, parseSpan } from './address-argument.js';
import { UsageError } from './failure.js';

/** Options that name tables, for the command's table of options. */
export const VTD_OPTIONS = {
  root: { type: 'string', describe: 'value of RTADDR: address of the root table, mode in bits 11:10' },
  mode: {
    choices: ['rtaddr', 'legacy', 'scalable'],
    default: 'rtaddr',
    describe: 'how the root table is laid out; rtaddr takes bits 11:10 of --root',
  },
  segment: { type: 'string', describe: 'PCI segment of the unit, 0 without' },
  device: {
    alias: 'd',
    type: 'string',
    describe: 'walk, translate, diff: device, as 00:1f.2 or 0000:00:1f.2',
  },
  pasid: { type: 'string', describe: 'PASID; without, that of requests without one' },
  pgd: { type: 'string', describe: 'walk, translate, diff: address of a top page table, instead of --root' },
  levels: { type: 'number', describe: 'levels of the table at --pgd: 3, 4 or 5; 4 without' },
  'first-stage': {
    type: 'boolean',
    default: false,
    describe: 'with --pgd: an x86-64 table; with --device: the first stage of nested translation',
  },
  cap: { type: 'string', describe: 'value of the CAP register: check what it allows' },
  ecap: { type: 'string', describe: 'value of the ECAP register; goes with --cap' },
  'host-bits': {
    type: 'number',
    describe: 'width of physical addresses, as kho vtd dmar shows it; 52 without',
  },
} as const;

/** What yargs makes of {@link VTD_OPTIONS}. */
export interface VtdArguments {
  readonly root: string | undefined;
  readonly mode: string;
  readonly segment: string | undefined;
  readonly device: string | undefined;
  readonly pasid: string | undefined;
  readonly pgd: string | undefined;
  readonly levels: number | undefined;
  readonly firstStage: boolean;
  readonly cap: string | undefined;
  readonly ecap: string | undefined;
  readonly hostBits: number | undefined;
}

/** A page table to be walked or translated with. */
export interface VtdTarget {
  /** The memory of the image. */
  readonly image: PhysicalMemory;
  /** What `root` lies in: the image, or guest-physical memory for a first stage behind a second one. */
  readonly memory: PhysicalMemory;
  /** `undefined` for pass-through, and for a device whose entries do not lead to a table. */
  readonly root: TableRoot | undefined;
  /** The same for translation, which takes both stages of a nested one, in `image`. */
  readonly through: TableRoot | NestedRoot | undefined;
  readonly widthBits: number | undefined;
  readonly hostBits: number | undefined;
  readonly capabilities: Capabilities | undefined;
  /** `0000:00:1f.2`, where a device was asked for. */
  readonly name: string | undefined;
  /** The device's entries. */
  readonly device: DevicePath | undefined;
}

/** Registers, if both were given. @throws UsageError */
export function capabilitiesOf({ cap, ecap }: VtdArguments): Capabilities | undefined {
  if (cap === undefined && ecap === undefined) return undefined;
  if (cap === undefined || ecap === undefined) throw new UsageError('--cap and --ecap go together');
  return decodeCapabilities(register(cap, '--cap'), register(ecap, '--ecap'));
}

/** A 64-bit register value. @throws UsageError */
export function register(text: string, option: string): bigint {
  const value = parseAddress(text, option);
  if (value >> 64n !== 0n) throw new UsageError(`${option}: expected 64 bits, found "${text}"`);
  return value;
}

function smallNumber(text: string, option: string, bits: number): number {
  const value = parseAddress(text, option);
  if (value >= 2n ** BigInt(bits)) throw new UsageError(`${option}: expected ${bits} bits, found "${text}"`);
  return Number(value);
}

/** The unit that --root names. @throws UsageError */
export function deviceRootOf(args: VtdArguments): DeviceRoot {
  const { root, mode, segment, hostBits } = args;
  if (root === undefined) throw new UsageError('--root is needed: the value of RTADDR');
  checkHostBits(hostBits);
  return {
    rtaddr: register(root, '--root'),
    mode: mode === 'legacy' || mode === 'scalable' ? mode : 'rtaddr',
    segment: segment === undefined ? undefined : smallNumber(segment, '--segment', 16),
    capabilities: capabilitiesOf(args),
    hostBits,
  };
}

function checkHostBits(hostBits: number | undefined): void {
  if (hostBits !== undefined && !(Number.isInteger(hostBits) && hostBits >= 12 && hostBits <= 64)) {
    throw new UsageError('--host-bits takes a number from 12 to 64');
  }
}

/** The page table that the options name. @throws UsageError, WalkError */
export function targetOf(memory: PhysicalMemory, args: VtdArguments): VtdTarget {
  const { pgd, root, device } = args;
  if ((pgd === undefined) === (root === undefined)) {
    throw new UsageError('expected --root RTADDR with --device, or --pgd ADDRESS');
  }
  if (pgd !== undefined) return tableTarget(memory, pgd, args);
  if (device === undefined) throw new UsageError('--root goes with --device BUS:DEVICE.FUNCTION');
  return deviceTarget(memory, device, args);
}

function tableTarget(memory: PhysicalMemory, pgd: string, args: VtdArguments): VtdTarget {
  const { device, pasid, firstStage, levels = 4, hostBits } = args;
  if (device !== undefined || pasid !== undefined)
    throw new UsageError('--device and --pasid go with --root');
  checkHostBits(hostBits);
  const table = register(pgd, '--pgd');
  if ((table & 0xfffn) !== 0n) throw new UsageError(`--pgd: expected a multiple of 4096, found "${pgd}"`);
  const root: TableRoot = { stage: firstStage ? 'first' : 'second', table, levels };
  const { depths, title } = pagingFormat(root.stage);
  if (!depths.includes(levels)) {
    throw new UsageError(`--levels: ${title} tables have ${depths.join(', ')} levels, not ${levels}`);
  }
  const capabilities = capabilitiesOf(args);
  const none = { widthBits: undefined, name: undefined, device: undefined };
  return { image: memory, memory, root, through: root, hostBits, capabilities, ...none };
}

function deviceTarget(memory: PhysicalMemory, device: string, args: VtdArguments): VtdTarget {
  const { pasid, firstStage, levels, hostBits } = args;
  if (levels !== undefined) throw new UsageError('--levels goes with --pgd; a device says how many it has');
  const parsed = parseSourceId(device);
  if (parsed === undefined) {
    throw new UsageError(`--device: expected BUS:DEVICE.FUNCTION such as 00:1f.2, found "${device}"`);
  }
  const unit = deviceRootOf(args);
  const segment = parsed.segment ?? unit.segment ?? 0;
  if (unit.segment !== undefined && segment !== unit.segment) {
    throw new UsageError('--device and --segment name different segments');
  }
  const number = pasid === undefined ? undefined : smallNumber(pasid, '--pasid', 20);
  const found = findDevice(memory, unit, parsed.sourceId, number);
  const { first, second } = found.tables ?? { first: undefined, second: undefined };
  if (firstStage && found.tables !== undefined && first === undefined) {
    throw new UsageError(`--first-stage: the domain of ${device} has none (${found.tables.type})`);
  }
  const nested = first !== undefined && second !== undefined ? { first, second } : undefined;
  const isGuest = nested !== undefined && firstStage;
  return {
    image: memory,
    memory: isGuest ? new GuestMemory(memory, nested.second) : memory,
    root: isGuest ? nested.first : (second ?? first),
    through: nested ?? second ?? first,
    widthBits: nested === undefined || isGuest ? widthOf(found, unit.capabilities) : undefined,
    hostBits: isGuest ? undefined : hostBits,
    capabilities: unit.capabilities,
    name: formatSourceId(parsed.sourceId, segment),
    device: found,
  };
}

/** MGAW bounds second-stage addresses. */
function widthOf({ tables }: DevicePath, capabilities: Capabilities | undefined): number | undefined {
  if (capabilities === undefined || tables?.type !== 'second-stage') return tables?.widthBits;
  return Math.min(tables.widthBits ?? 64, capabilities.cap.MGAW + 1);
}

/** The IOVAs that --only names. @throws UsageError */
export function onlyOf(only: string | undefined): { first: bigint; last: bigint } | undefined {
  if (only === undefined) return undefined;
  const { start, length } = parseSpan(only, '--only', 1n);
  if (length === 0n || start + length > 1n << 64n) {
    throw new UsageError(`--only: expected IOVAs of 64 bits, found "${only}"`);
  }
  return { first: start, last: start + length - 1n };
}

/** One line that says what table it is. */
export function targetTitle({ name, device, root, widthBits }: VtdTarget): string {
  const tables = device?.tables;
  const whose = tables === undefined ? '' : `${name}  domain ${tables.did}, ${tables.type}, `;
  if (root === undefined) return `${whose}addresses are physical addresses`;
  const width = widthBits === undefined ? '' : `, ${widthBits} bits`;
  const which = tables !== undefined && tables.type !== 'nested' ? '' : `${root.stage}-stage `;
  return `${whose}${which}table ${formatHex(root.table)}, ${root.levels} levels${width}`;
}

/** The same as members of JSON. */
export function targetDocument({ name, device, root, widthBits }: VtdTarget): object {
  return {
    device: name ?? null,
    pasid: device?.pasid ?? null,
    did: device?.tables?.did ?? null,
    type: device?.tables?.type ?? (root === undefined ? null : `${root.stage}-stage`),
    stage: root?.stage ?? null,
    table: root?.table ?? null,
    levels: root?.levels ?? null,
    width: widthBits ?? null,
  };
}
