// SPDX-License-Identifier: Apache-2.0
import type { PhysicalMemory } from '../image/physical-memory.js';
import { isRecord } from '../schemas/lang/input.js';
import { collectReach } from './collect-reach.js';
import { type Consumer, readConsumer } from './consumer.js';
import type { ScratchRegion } from './debugfs-folder.js';
import { candidatesFor, type DomainWalk, walkDomain } from './domain-walk.js';
import type { GivenSpaces } from './given-spaces.js';
import { type GivenState, givenState } from './given-state.js';
import type { HandoverIssue } from './handover-issue.js';
import { HandoverError, type HandoverRoot, NO_ROOT, readRoot } from './handover-root.js';
import type { HandoverIoas, IommuState } from './iommu-state.js';
import { liveupdateState } from './liveupdate-iommu-state.js';
import type { KhoSetupData, LocateResult, SearchableMemory } from './locate.js';
import { type HandoverFile, type HandoverSession, type LuoState, luoState } from './luo-state.js';
import { memoryOf } from './memory-of.js';
import { type PickedRoot, pickRoot } from './pick-root.js';
import { type PreservedMap, readPreservedMap } from './preserved.js';
import { listedMap } from './preserved-mem.js';
import type { Reach } from './reach.js';
import { rfcState } from './rfc-iommu-state.js';
import { type ScratchArray, type ScratchState, scratchOf } from './scratch-state.js';

/** How a handover is opened. */
export interface HandoverOptions {
  /** Physical address of the root FDT, where it is known: nothing is then searched for. */
  readonly root?: bigint | undefined;
  /** Scratch regions, where they are known; else those of the array that setup_data names. */
  readonly scratch?: readonly ScratchRegion[] | undefined;
  /** Where the array of scratch regions lies, where no setup_data in the memory says so. */
  readonly scratchArray?: ScratchArray | undefined;
  /** What a search of the memory found, where there has been one. */
  readonly located?: LocateResult | undefined;
  /** Which of the layouts of one version string to take: `kho-v1` to `B`. */
  readonly variants?: ReadonlyMap<string, string> | undefined;
  /**
   * Whether the memory is only what was at hand, such as blobs without what they lead to: what is not there is then no
   * fault of the handover. Default false.
   */
  readonly partial?: boolean | undefined;
  /** Address spaces that somebody else describes: they are verified with those of the handover, and without one. */
  readonly given?: GivenSpaces | undefined;
}

/** A region of memory reserved by name (reserve_mem). */
export interface ReservedRegion {
  /** One character a byte. */
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly path: string;
}

/** Which kernel handed over. */
export interface KexecMetadata {
  /** Its release; one character a byte. */
  readonly previousRelease: string;
  /** Handovers since the last cold boot. */
  readonly kexecCount: number;
}

/** `len` of setup_data in KHO's form of 2023, setupDataKho2023. */
const SETUP_DATA_2023 = 48;

/**
 * A handover in physical memory, read lazily: each part when it is first asked for. Nothing is thrown for what is wrong
 * with it; `issues` has all of it, and one damaged consumer does not hide the others.
 *
 * @example
 * ```ts
 * import { openImage } from 'kho-toolkit/image';
 * import { Handover } from 'kho-toolkit/kho';
 *
 * const image = openImage('fixtures/kernel-7.3.4/kho-luo.trimmed.elf');
 * const handover = Handover.open(image);
 * for (const { name, files } of handover.sessions) console.log(name, files.length);
 * image.close();
 * ```
 */
export class Handover {
  readonly memory: PhysicalMemory;
  readonly root: HandoverRoot;
  /** The boot entry that leads to the root, where the memory was searched and has one. */
  readonly setupData: KhoSetupData | undefined;
  /** Physical addresses of other roots that the search found. */
  readonly otherRoots: readonly bigint[];
  /** Whether what is not in the memory may all the same be there. */
  readonly partial: boolean;
  readonly #options: HandoverOptions;
  #consumers: readonly Consumer[] | undefined;
  #preserved: PreservedMap | undefined;
  #scratch: ScratchState | undefined;
  #luo: LuoState | undefined;
  #iommu: IommuState | undefined;
  #given: GivenState | undefined;
  #walks: readonly DomainWalk[] | undefined;
  #reach: Reach | undefined;
  #issues: readonly HandoverIssue[] | undefined;

  private constructor(memory: PhysicalMemory, options: HandoverOptions, found: PickedRoot | undefined) {
    this.memory = memory;
    this.#options = options;
    this.partial = options.partial ?? false;
    this.setupData = found?.setupData;
    this.otherRoots = found?.others ?? [];
    this.root = found === undefined ? NO_ROOT : readRoot(memory, found.address, options.variants);
  }

  /**
   * Opens the handover in a memory: at the address given, else where setup_data leads, else what a search finds first.
   * Where somebody describes address spaces, a memory without a handover is opened as well: `root` is then at 0.
   *
   * @param memory - an image, or what blobs there are at their addresses; one that cannot be searched needs `root`
   * @throws HandoverError NO_ROOT when there is no root, nor an entry that says where one should be
   * @throws ImageError TRUNCATED, BAD_DATA or IO where the image cannot be read
   */
  static open(memory: PhysicalMemory | SearchableMemory, options: HandoverOptions = {}): Handover {
    try {
      return new Handover(memory, options, pickRoot(memory, options));
    } catch (error) {
      if (!(error instanceof HandoverError) || options.given === undefined) throw error;
      return new Handover(memory, options, undefined);
    }
  }

  /** Whether there is a handover at all, and not only address spaces that somebody describes. */
  get isThere(): boolean {
    return this.root !== NO_ROOT;
  }

  /**
   * Whether it is of KHO's form of 2023: one tree, which kexec puts into the one scratch region that setup_data names. A
   * kernel goes by the version that it reads, whatever setup_data's length is; where the root carries none that is known,
   * that length tells.
   */
  get isForm2023(): boolean {
    const { identified } = this.root;
    return identified === undefined
      ? this.setupData?.length === SETUP_DATA_2023
      : identified.version.variant === 'tree';
  }

  /** Subsystems that hand something over, in the order of the root. */
  get consumers(): readonly Consumer[] {
    if (this.#consumers === undefined) {
      const memory = memoryOf(this.memory);
      const { variants } = this.#options;
      this.#consumers = this.root.consumers.map((node) => readConsumer(node, memory, { variants }));
    }
    return this.#consumers;
  }

  /** The consumer of this name; of several, as kernels see it, the first. */
  consumer(name: string): Consumer | undefined {
    return this.consumers.find((each) => each.name === name);
  }

  /** Which memory is preserved; `undefined` where the root does not lead to a map that is known. */
  get preserved(): PreservedMap | undefined {
    const { map, fdt, identified, address } = this.root;
    // A tree at 0 is none; a list of bitmaps at 0 is an empty one.
    const leads = map !== undefined && (map.address !== 0n || map.target.to !== 'radix');
    if (this.#preserved === undefined && leads)
      this.#preserved = readPreservedMap(this.memory, map.address, map.target, map.at);
    if (this.#preserved === undefined && fdt !== undefined && identified?.version.variant === 'tree')
      this.#preserved = listedMap(fdt, address);
    return this.#preserved;
  }

  /** Memory in which the next kernel boots. */
  get scratch(): ScratchState {
    const given = this.#options.scratch;
    this.#scratch ??=
      given === undefined
        ? scratchOf(this.#options.scratchArray, this.setupData, memoryOf(this.memory), this.isForm2023)
        : { regions: given, source: 'given', issues: [] };
    return this.#scratch;
  }

  /** Sessions and files; `undefined` where no live update orchestrator hands over, or its blob cannot be read. */
  get luo(): LuoState | undefined {
    const consumer = this.consumer('LUO');
    if (this.#luo === undefined && consumer !== undefined && consumer.reached.length > 0)
      this.#luo = luoState(consumer);
    return this.#luo;
  }

  /** Sessions of the live update orchestrator. */
  get sessions(): readonly HandoverSession[] {
    return this.luo?.sessions ?? [];
  }

  /** What is said of IOMMUs: by the RFC of 2024, or by iommu-liveupdate. */
  get iommu(): IommuState {
    if (this.#iommu === undefined) {
      const { fdt, identified, address } = this.root;
      const luo = this.luo;
      if (fdt !== undefined && identified?.version.variant === 'tree') this.#iommu = rfcState(fdt, address);
      else if (luo !== undefined) this.#iommu = liveupdateState(luo, this.consumer('LUO')?.reached ?? []);
      else this.#iommu = { domains: [], ioases: [], units: [], issues: [] };
    }
    return this.#iommu;
  }

  /** Memory reserved by name. */
  get reservedRegions(): readonly ReservedRegion[] {
    const value = this.consumer('memblock')?.reached[0]?.value;
    const regions = isRecord(value) && Array.isArray(value['regions']) ? value['regions'] : [];
    return regions.flatMap((each: unknown) => {
      if (!isRecord(each)) return [];
      const { $name: name, start, size } = each;
      return typeof name === 'string' && typeof start === 'bigint' && typeof size === 'bigint'
        ? [{ name, address: start, size, path: `/memblock/${name}` }]
        : [];
    });
  }

  /** Which kernel handed over; `undefined` where none says so. */
  get metadata(): KexecMetadata | undefined {
    const value = this.consumer('kexec-metadata')?.reached[0]?.value;
    if (!isRecord(value)) return undefined;
    const { previous_release: previousRelease, kexec_count: kexecCount } = value;
    return typeof previousRelease === 'string' && typeof kexecCount === 'number'
      ? { previousRelease, kexecCount }
      : undefined;
  }

  /** Address spaces that somebody else describes, and what the tables of their unit say. */
  get given(): GivenState {
    this.#given ??= givenState(this.memory, this.#options.given);
    return this.#given;
  }

  /** All address spaces: of the handover, and those that somebody describes. */
  get ioases(): readonly HandoverIoas[] {
    return [...this.iommu.ioases, ...this.given.spaces.map(({ ioas }) => ioas)];
  }

  /** The page tables of all domains, walked: of the handover, and those of address spaces that somebody describes. */
  get walks(): readonly DomainWalk[] {
    const { domains, ioases } = this.iommu;
    this.#walks ??= [
      ...domains.map((domain) => walkDomain(this.memory, domain, candidatesFor(domain, ioases))),
      ...this.given.spaces.map(({ domain, ...candidate }) => walkDomain(this.memory, domain, [candidate])),
    ];
    return this.#walks;
  }

  /** Everything that pointers reach, page tables of domains included. */
  get reach(): Reach {
    this.#reach ??= collectReach(this);
    return this.#reach;
  }

  /** Everything that is wrong with what could be read, in the order of root, scratch, map and consumers. */
  get issues(): readonly HandoverIssue[] {
    this.#issues ??= this.#allIssues();
    return this.#issues;
  }

  #allIssues(): readonly HandoverIssue[] {
    const map = (this.preserved?.issues ?? []).map((issue): HandoverIssue => ({ ...issue, part: 'map' }));
    const iommu = this.iommu.issues.map((issue): HandoverIssue => ({ ...issue, part: 'root' }));
    const consumers = this.consumers.flatMap(({ issues }) => issues);
    return [...this.root.issues, ...this.scratch.issues, ...iommu, ...map, ...consumers];
  }

  /**
   * Where a memfd's contents lie, by position in the file: runs of pages. The order of a folio is that of its preserved
   * block; folios of page frame 0 are holes, as kernels take them.
   */
  *fileRuns({
    memfd,
  }: HandoverFile): Generator<
    { readonly index: number; readonly pfn: number; readonly pages: number },
    void
  > {
    const { preserved } = this;
    const folios = memfd?.folios;
    if (folios === undefined) return;
    for (let row = 0; row < folios.count; row++) {
      const pfn = folios.pfns[row] ?? 0;
      if (pfn === 0) continue;
      const block = preserved?.find(pfn);
      const pages = block !== undefined && block.start === pfn ? 2 ** block.order : 1;
      yield { index: folios.indexes[row] ?? 0, pfn, pages };
    }
  }
}
