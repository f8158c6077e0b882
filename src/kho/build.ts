// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { quoteName } from '../bytes/printable.js';
import { PAGE_SHIFT, PAGE_SIZE } from '../image/physical-memory.js';
import { kexecMetadata, kexecMetadataV1 } from '../schemas/abi/kexec-metadata.js';
import { khoRoot, khoRootV1B } from '../schemas/abi/kho-root.js';
import { luo } from '../schemas/abi/luo.js';
import { memblock, memblockV1 } from '../schemas/abi/memblock.js';
import { memfd } from '../schemas/abi/memfd.js';
import { encode } from '../schemas/lang/encode.js';
import type { Family, Version } from '../schemas/lang/family.js';
import { ScratchTop, writeBootData } from './build-boot.js';
import { badDescription } from './build-error.js';
import { type Machine, makeMachine, pagesOf } from './build-machine.js';
import { type DomainDescription, writeTree2023 } from './build-rfc.js';
import type { BuiltHandover } from './built-handover.js';
import { makeContents } from './contents.js';
import { mapFormOf } from './encode-map.js';
import type {
  HandoverDescription,
  IommufdDescription,
  MachineDescription,
  MemfdDescription,
  ObjectDescription,
  PreserveDescription,
  RegionDescription,
} from './handover-description.js';
import { type HandoverSpace, putPages } from './handover-space.js';
import { type PlannedFile, type PlannedObject, type PlannedSession, writeLuo } from './write-luo.js';
import { type MemfdFolio, writeMemfd } from './write-memfd.js';
import { isBefore619, type RootSubtree, writeRoot } from './write-root.js';

/** Longest names, without the NUL behind them: RESERVE_MEM_MAX_NAME - 1, and what the arrays of LUO's structs hold. */
const MAX_REGION_NAME = 15;
const MAX_SESSION_NAME = 63;
const MAX_OBJECT_NAME = 47;
const MAX_RELEASE = 64;
/** MEMFD_LUO_ALL_SEALS, include/linux/kho/abi/memfd.h. */
const KNOWN_SEALS = 0x3f;

function requireText(text: string, max: number, path: string): void {
  const isText = text.length > 0 && text.length <= max && /^[^\0\u0100-\uffff]*$/.test(text);
  if (!isText) throw badDescription(path, `1 to ${max} characters of one byte`, `"${quoteName(text)}"`);
}

/** What the whole handover says of itself. */
export type FinishOptions = Pick<
  HandoverDescription,
  'previousRelease' | 'kexecCount' | 'liveupdateNumber' | 'bootParams'
>;

/**
 * Makes a complete handover, as the kernel of a release would leave it in memory: each call places what it is given in free
 * memory outside scratch and marks it preserved; {@link HandoverBuilder.finish} writes what leads to all of it.
 *
 * @example
 * ```ts
 * import { HandoverBuilder } from 'kho-toolkit/kho';
 *
 * const builder = new HandoverBuilder({ kernel: '7.3' });
 * const disk = builder.memfd({ size: 10_000, contents: { text: 'state' } });
 * builder.session('vm', [{ ...disk, token: 1n }]);
 * const { memory, root } = builder.finish();
 * console.log(memory.read(root, 4));
 * ```
 */
export class HandoverBuilder {
  /** Memory, what is free, what is preserved: for whoever adds something that has no method here. */
  readonly space: HandoverSpace;
  readonly #kernel: string;
  readonly #machine: Machine;
  readonly #root: Version;
  readonly #regions: { $name: string; compatible: string; start: bigint; size: bigint }[] = [];
  readonly #sessions: PlannedSession[] = [];
  readonly #objects: PlannedObject[] = [];
  readonly #subtrees: RootSubtree[] = [];
  readonly #iommufds: IommufdDescription[] = [];
  readonly #domains: DomainDescription[] = [];

  /** @throws BuildError BAD_DESCRIPTION, NO_ROOM */
  constructor(machine: MachineDescription) {
    this.#machine = makeMachine(machine);
    this.#kernel = machine.kernel;
    this.space = this.#machine.space;
    this.#root = this.#version(khoRoot, 'kernel');
  }

  #version(family: Family, path: string): Version {
    const version = this.#machine.versions.get(family);
    if (version !== undefined) return version;
    throw badDescription(path, `a kernel that hands over ${family.name}`, this.#kernel);
  }

  #isTree(path: string): boolean {
    const isTree = this.#root.key === 'kho-v1' && this.#root.variant === 'tree';
    if (path !== '' && isTree) throw badDescription(path, 'a kernel of Linux 6.16 or later', this.#kernel);
    return isTree;
  }

  /**
   * Adds a region of `reserve_mem=`.
   *
   * @returns its physical address
   * @throws BuildError BAD_DESCRIPTION, NO_ROOM
   */
  reserveMemory(region: RegionDescription, path = 'reserveMem'): bigint {
    const { name, size, align = PAGE_SIZE, contents = 'zeros' } = region;
    this.#isTree(path);
    requireText(name, MAX_REGION_NAME, `${path}.name`);
    if (size <= 0 || size % PAGE_SIZE !== 0)
      throw badDescription(`${path}.size`, 'whole pages of 4096 bytes', `${size}`);
    if (align < PAGE_SIZE || !Number.isInteger(Math.log2(align)))
      throw badDescription(`${path}.align`, 'a power of two from 4096 on', `${align}`);
    if (this.#regions.some((other) => other.$name === name))
      throw badDescription(`${path}.name`, 'a name not used before', `"${quoteName(name)}"`);
    const pfn = this.space.free.takeRun(size / PAGE_SIZE, align / PAGE_SIZE);
    this.space.preserved.addRun({ pfn, count: size / PAGE_SIZE }, this.#maxOrder());
    putPages(this.space.memory, pfn, makeContents(contents, size));
    const start = BigInt(pfn) << BigInt(PAGE_SHIFT);
    this.#regions.push({ $name: name, compatible: 'reserve-mem-v1', start, size: BigInt(size) });
    return start;
  }

  #maxOrder(): number {
    const form = mapFormOf(this.#root.layout);
    return form?.kind === 'bitmaps' ? form.maxOrder : 52;
  }

  /**
   * Adds a memfd: its folios, the list of them, its blob.
   *
   * @returns what a session's entry says of it, but for the token
   * @throws BuildError BAD_DESCRIPTION, NO_ROOM
   */
  memfd(file: MemfdDescription, path = 'file'): Omit<PlannedFile, 'token'> {
    const version = this.#version(memfd, path);
    const { size, position = 0, seals = 0, contents = 'zeros', holes = [], folioOrder = 0 } = file;
    if (seals !== 0 && version.layout.kind === 'struct' && version.layout.fields['seals'] === undefined)
      throw badDescription(`${path}.seals`, `no seals, which ${version.key} does not keep`, `${seals}`);
    if ((seals & ~KNOWN_SEALS) !== 0)
      throw badDescription(`${path}.seals`, 'no bits but 0x3f', formatHex(seals >>> 0));
    const bytes = makeContents(contents, size, holes);
    const folios: MemfdFolio[] = [];
    const pages = 2 ** folioOrder;
    for (let index = 0; index < bytes.length / PAGE_SIZE; index += pages) {
      const pfn = this.space.free.take(folioOrder);
      this.space.preserved.add(pfn, folioOrder);
      const part = bytes.subarray(index * PAGE_SIZE, (index + pages) * PAGE_SIZE);
      putPages(this.space.memory, pfn, part);
      // The last folio may reach beyond the file.
      const beyond = pages - part.length / PAGE_SIZE;
      if (beyond > 0) putPages(this.space.memory, pfn + pages - beyond, new Uint8Array(beyond * PAGE_SIZE));
      folios.push({ pfn, index });
    }
    const blob = { position: BigInt(position), size: BigInt(size), seals, folios };
    return { compatible: version.key, data: writeMemfd(version.layout, blob, this.space) };
  }

  /**
   * Adds a session.
   *
   * @throws BuildError BAD_DESCRIPTION for a name or token that is there already, or a kernel without LUO
   */
  session(name: string, files: readonly PlannedFile[], path = 'session'): void {
    this.#version(luo, path);
    requireText(name, MAX_SESSION_NAME, `${path}.name`);
    const tokens = new Set(files.map(({ token }) => token));
    if (tokens.size !== files.length)
      throw badDescription(path, 'tokens that differ', 'two files of one token');
    this.#sessions.push({ name, files });
  }

  /** Files of all sessions so far. */
  get fileCount(): number {
    return this.#sessions.reduce((sum, { files }) => sum + files.length, 0);
  }

  /**
   * Adds a file-lifecycle-bound object.
   *
   * @throws BuildError BAD_DESCRIPTION for a kernel without LUO
   */
  object({ name, data, count = this.fileCount }: ObjectDescription, path = 'object'): void {
    this.#version(luo, path);
    requireText(name, MAX_OBJECT_NAME, `${path}.name`);
    if (count < 1) throw badDescription(`${path}.count`, 'at least one file', `${count}`);
    this.#objects.push({ name, data, count: BigInt(count) });
  }

  /**
   * Preserves memory that nothing leads to. Its pages do not come into the image.
   *
   * @throws BuildError BAD_DESCRIPTION, NO_ROOM when it is not free
   */
  preserve(what: PreserveDescription, path = 'preserve'): void {
    if ('start' in what) {
      const run = pagesOf(what, path);
      this.space.free.claim(run);
      this.space.preserved.addRun(run, this.#maxOrder());
      return;
    }
    const maxOrder = this.#maxOrder();
    if (what.order > maxOrder)
      throw badDescription(`${path}.order`, `at most ${maxOrder}, for this kernel`, `${what.order}`);
    for (let left = what.count ?? 1; left > 0; left--)
      this.space.preserved.add(this.space.free.take(what.order), what.order);
  }

  /**
   * Adds the blob of another subsystem.
   *
   * @throws BuildError BAD_DESCRIPTION for a name that is there already, NO_ROOM
   */
  subtree(name: string, bytes: Uint8Array, path = 'subtree'): bigint {
    this.#isTree(path);
    if (this.#subtrees.some((other) => other.name === name))
      throw badDescription(path, 'a name not used before', `"${quoteName(name)}"`);
    const address = this.space.keep(bytes);
    // A kernel's root has what was added last in front.
    this.#subtrees.unshift({ name, address, size: bytes.length });
    return address;
  }

  /**
   * Adds a persistent iommufd of the RFC of 2024.
   *
   * @throws BuildError BAD_DESCRIPTION for another kernel
   */
  iommufd(description: IommufdDescription, path = 'iommufd'): void {
    if (!this.#isTree('')) throw badDescription(path, 'kernel rfc-2024', this.#kernel);
    this.#iommufds.push(description);
  }

  /**
   * Adds a persistent domain of the RFC of 2024. Its tables are in {@link space} already, in pages taken there.
   *
   * @throws BuildError BAD_DESCRIPTION for another kernel
   */
  domain(description: DomainDescription, path = 'domain'): void {
    if (!this.#isTree('')) throw badDescription(path, 'kernel rfc-2024', this.#kernel);
    this.#domains.push(description);
  }

  /**
   * Writes the blobs, the root and the map of preserved memory. Nothing may be added afterwards.
   *
   * @throws BuildError LIMIT for more than the kernel's formats hold, NO_ROOM
   * @throws SchemaError for a value that a format cannot hold, such as a name that is too long
   */
  finish(options: FinishOptions = {}): BuiltHandover {
    const { bootParams = true } = options;
    const { space } = this;
    const { scratch, ram } = this.#machine;
    if (this.#isTree('')) return writeTree2023(this.#machine, this.#iommufds, this.#domains);
    this.#blobs(options);
    const pfn = space.free.take(0);
    space.preserved.add(pfn, 0);
    const root = BigInt(pfn) << BigInt(PAGE_SHIFT);
    const isSequential = this.#root.layout === khoRootV1B && isBefore619(this.#kernel);
    writeRoot(this.#root, root, this.#subtrees, space, isSequential ? 'sequential' : undefined);
    const [region] = scratch;
    const boot =
      bootParams && region !== undefined
        ? writeBootData(space.memory, new ScratchTop(region), root, scratch, ram)
        : undefined;
    return { memory: space.memory, root, scratch, boot, preserved: space.preserved };
  }

  /** The kernel's own blobs, in the order in which its subsystems start. */
  #blobs({ previousRelease = this.#kernel, kexecCount = 1, liveupdateNumber = 1n }: FinishOptions): void {
    const { versions } = this.#machine;
    requireText(previousRelease, MAX_RELEASE, 'previousRelease');
    if (kexecCount < 1) throw badDescription('kexecCount', 'at least 1', `${kexecCount}`);
    if (liveupdateNumber < 1n) throw badDescription('liveupdateNumber', 'at least 1', `${liveupdateNumber}`);
    const added = this.#subtrees.splice(0);
    if (versions.has(kexecMetadata)) {
      const metadata = { version: 1, previous_release: previousRelease, kexec_count: kexecCount };
      this.subtree('kexec-metadata', encode(kexecMetadataV1, metadata));
    }
    const luoVersion = versions.get(luo);
    if (luoVersion !== undefined) {
      const state = { number: liveupdateNumber, sessions: this.#sessions, objects: this.#objects };
      this.#subtrees.unshift({ name: 'LUO', ...writeLuo(luoVersion.layout, state, this.space) });
    }
    if (this.#regions.length > 0 && versions.has(memblock))
      this.subtree('memblock', encode(memblockV1, { compatible: 'memblock-v1', regions: this.#regions }));
    this.#subtrees.unshift(...added);
  }
}
