// SPDX-License-Identifier: Apache-2.0
// What rules rest on: each fact holds, or there is a reason why not.
import type { Handover } from '../handover.js';
import type { HandoverIssue } from '../handover-issue.js';
import { type RamMap, ramOf } from '../ram.js';

/** Names of the facts, see {@link FACTS}. */
export type FactName =
  | 'root'
  | 'map'
  | 'kernel-map'
  | 'complete'
  | 'memory'
  | 'scratch'
  | 'ram'
  | 'luo'
  | 'tables'
  | 'domains'
  | 'areas'
  | 'contexts'
  | 'given'
  | 'serialised';

/** Facts about one handover, each found out once. */
export class Facts {
  readonly #handover: Handover;
  readonly #reasons = new Map<FactName, string | undefined>();
  #ram: RamMap | string | undefined;

  constructor(handover: Handover) {
    this.#handover = handover;
  }

  /** Why a fact does not hold; `undefined` when it does. */
  missing(name: FactName): string | undefined {
    if (!this.#reasons.has(name)) this.#reasons.set(name, FACTS[name].missing(this.#handover, this));
    return this.#reasons.get(name);
  }

  /** The machine's memory, or why it is not known. */
  get ram(): RamMap | string {
    this.#ram ??= ramOf(this.#handover.memory, this.#handover.scratch.regions, this.#handover.preserved);
    return this.#ram;
  }
}

/** Stands for a reason where there is nothing that a rule could check: it is then not told as passed over. */
export const NOTHING_THERE = '';

/** A fact that rules may need. */
export interface Fact {
  /** What holds, in words. */
  readonly title: string;
  /** Why it does not hold; `undefined` when it does, `NOTHING_THERE` where no rule could check anything. */
  readonly missing: (handover: Handover, facts: Facts) => string | undefined;
}

/** Consumer issues that keep pointers from being followed. */
const BROKEN: ReadonlySet<string> = new Set([
  'ABSENT',
  'LOOP',
  'LIMIT',
  'NO_LAYOUT',
  'NO_VERSION',
  'TRUNCATED',
  'BAD_LENGTH',
  'BAD_COUNT',
  'MISSING',
]);

/** Whether an issue keeps something from being followed; a block whose count is wrong is one. */
function breaks({ code, path = '' }: HandoverIssue): boolean {
  return (
    BROKEN.has(code) || code.startsWith('FDT_') || (code === 'BAD_VALUE' && /\.(?:count|next)$/.test(path))
  );
}

/** All facts. */
export const FACTS: Readonly<Record<FactName, Fact>> = {
  root: {
    title: 'the root is a sound FDT of a known version',
    missing: ({ root: { fdt, identified, issues } }) =>
      fdt === undefined ||
      identified === undefined ||
      issues.some(({ code }) => /^FDT_ERR|^NO_|^ABSENT/.test(code))
        ? 'the root is damaged or of no known version'
        : undefined,
  },
  memory: {
    title: 'the memory is at hand, not blobs alone',
    missing: ({ partial }) => (partial ? 'only blobs are at hand, not the memory they lead to' : undefined),
  },
  map: {
    title: 'the map of preserved memory was read whole',
    missing: ({ preserved, partial }) => {
      if (partial && preserved?.form !== 'mem') return 'the map of preserved memory is not at hand';
      if (preserved === undefined) return 'the root does not lead to a map of preserved memory';
      return preserved.issues.length > 0 ? 'the map of preserved memory is damaged' : undefined;
    },
  },
  'kernel-map': {
    title: 'the map is one that kernels keep (bitmaps or radix tree), not the list of an RFC',
    missing: (handover, facts) =>
      facts.missing('map') ??
      (handover.preserved?.form === 'mem'
        ? 'the RFC of 2024 lists preserved memory instead of mapping it'
        : undefined),
  },
  complete: {
    title: 'every pointer of every consumer could be followed',
    missing: ({ consumers, root, walks, partial }) => {
      if (partial) return 'only blobs are at hand, not the memory they lead to';
      if (root.fdt === undefined) return 'the root is damaged';
      if (root.issues.some(({ code }) => code !== 'UNKNOWN')) return 'the root is damaged';
      const broken = consumers.find(({ issues }) => issues.some(breaks));
      if (broken !== undefined) return `what ${broken.name} leads to could not all be followed`;
      const walk = walks.find(({ result }) => result === undefined || result.findings.length > 0);
      return walk && `the tables of ${walk.domain.name} could not all be walked`;
    },
  },
  scratch: {
    title: 'the scratch regions are known',
    missing: ({ scratch: { regions, source } }) =>
      regions === undefined ? `scratch is not known: ${source}` : undefined,
  },
  ram: {
    title: 'the image tells which memory the machine had',
    missing: ({ partial }, facts) => {
      if (partial) return 'only blobs are at hand';
      return typeof facts.ram === 'string' ? facts.ram : undefined;
    },
  },
  luo: {
    title: 'sessions could be read',
    missing: (handover) => {
      if (handover.luo !== undefined) return undefined;
      return handover.consumer('LUO') === undefined ? NOTHING_THERE : 'the state of LUO cannot be read';
    },
  },
  domains: {
    title: 'there are domains to look at',
    missing: ({ iommu, given }) =>
      iommu.domains.length + given.spaces.length === 0 ? NOTHING_THERE : undefined,
  },
  tables: {
    title: 'the tables of the domains are at hand',
    missing: ({ partial }, facts) => {
      const missing = facts.missing('domains');
      return missing ?? (partial ? 'only blobs are at hand, not the memory they lead to' : undefined);
    },
  },
  areas: {
    title: 'the handover, or somebody else, lists areas of address spaces',
    missing: ({ ioases }) => (ioases.length === 0 ? NOTHING_THERE : undefined),
  },
  contexts: {
    title: 'the root table of the unit is known, by --areas',
    missing: ({ iommu, given }) => {
      if (given.contexts !== undefined) return undefined;
      const unknown = 'the handover does not say where the root table of the unit is: see --areas';
      return iommu.domains.length === 0 ? NOTHING_THERE : unknown;
    },
  },
  serialised: {
    title: 'the handover itself lists areas',
    missing: ({ iommu }) => (iommu.ioases.length === 0 ? NOTHING_THERE : undefined),
  },
  given: {
    title: 'somebody describes address spaces, by --areas',
    missing: ({ given }) => (given.spaces.length + given.issues.length === 0 ? NOTHING_THERE : undefined),
  },
};
