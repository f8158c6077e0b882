// SPDX-License-Identifier: Apache-2.0
import type { ExtentColumns } from './extents.js';
import { LEVEL_SHIFT, MAPPING, type Stage } from './paging-format.js';
import type { Capabilities } from './registers.js';

/** Leaves that ask for more than the hardware offers. */
export interface MappingFinding {
  readonly code: 'UNSUPPORTED';
  /** What they need, and what lacks it. */
  readonly message: string;
  /** The first such address. */
  readonly iova: bigint;
  /** How many extents there are of them. */
  readonly extents: number;
}

interface MappingRule {
  readonly matches: (bits: number) => boolean;
  readonly offered: (capabilities: Capabilities) => boolean;
  readonly message: string;
}

const isLevel = (level: number) => (bits: number) => bits >> LEVEL_SHIFT === level;

/** Source: VT-d specification 11.4.2 and 11.4.3; vtd-tables.md section 9. */
const RULES: Readonly<Record<Stage, readonly MappingRule[]>> = {
  second: [
    {
      matches: isLevel(2),
      offered: ({ cap }) => (cap.SSLPS & 1) !== 0,
      message: '2 MiB leaves need CAP.SSLPS bit 0',
    },
    {
      matches: isLevel(3),
      offered: ({ cap }) => (cap.SSLPS & 2) !== 0,
      message: '1 GiB leaves need CAP.SSLPS bit 1',
    },
    {
      matches: (bits) => (bits & MAPPING.SNOOP) !== 0,
      offered: ({ ecap }) => ecap.SC,
      message: 'SNP needs snoop control (ECAP.SC)',
    },
  ],
  first: [{ matches: isLevel(3), offered: ({ cap }) => cap.FS1GP, message: '1 GiB leaves need CAP.FS1GP' }],
};

/** Judges mappings by what CAP and ECAP offer; takes extents as they are found. */
export class MappingCheck {
  readonly #broken: { readonly rule: MappingRule; extents: number; iova: number }[];

  constructor(stage: Stage, capabilities: Capabilities) {
    this.#broken = RULES[stage]
      .filter(({ offered }) => !offered(capabilities))
      .map((rule) => ({ rule, extents: 0, iova: 0 }));
  }

  /** Looks at further extents. */
  add(rows: ExtentColumns): void {
    for (const open of this.#broken) {
      for (let row = 0; row < rows.length; row++) {
        if (!open.rule.matches(rows.bits[row] ?? 0)) continue;
        if (open.extents++ === 0) open.iova = rows.iovaFrame[row] ?? 0;
      }
    }
  }

  /** What was found so far, one finding a rule. */
  get findings(): MappingFinding[] {
    return this.#broken
      .filter(({ extents }) => extents > 0)
      .map(({ rule, extents, iova }) => ({
        code: 'UNSUPPORTED',
        message: rule.message,
        iova: BigInt(iova) << 12n,
        extents,
      }));
  }
}
