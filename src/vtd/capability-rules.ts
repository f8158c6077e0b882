// SPDX-License-Identifier: Apache-2.0
// What entries may ask for only if CAP and ECAP offer it. Source: VT-d specification 11.4.2 and 11.4.3; vtd-tables.md
// section 9.
import type { ContextValues, PasidValues, ScalableContextValues } from './domain.js';
import type { Capabilities } from './registers.js';

/** An entry that asks for something, and what has to offer it. */
interface CapabilityRule<Values> {
  readonly asks: (values: Values) => boolean;
  readonly offers: (capabilities: Capabilities, values: Values) => boolean;
  /** What is asked for and where it would be offered. */
  readonly text: string;
}

function supportsWidth({ cap }: Capabilities, { AW }: { readonly AW: number }): boolean {
  return ((cap.SAGAW >> AW) & 1) === 1;
}

function hasId({ cap }: Capabilities, { DID }: { readonly DID: number }): boolean {
  return DID < 2 ** (4 + 2 * cap.ND);
}

const ID_TEXT = 'the domain id needs more bits than CAP.ND gives';
const WIDTH_TEXT = 'CAP.SAGAW lacks the width AW';

/** Rules for legacy context entries. */
export const CONTEXT_RULES: readonly CapabilityRule<ContextValues>[] = [
  { asks: ({ TT }) => TT === 1, offers: ({ ecap }) => ecap.DT, text: 'TT 1 needs device TLBs (ECAP.DT)' },
  { asks: ({ TT }) => TT === 2, offers: ({ ecap }) => ecap.PT, text: 'TT 2 needs pass-through (ECAP.PT)' },
  { asks: () => true, offers: supportsWidth, text: WIDTH_TEXT },
  { asks: () => true, offers: hasId, text: ID_TEXT },
];

/** Rules for scalable-mode context entries. */
export const SCALABLE_CONTEXT_RULES: readonly CapabilityRule<ScalableContextValues>[] = [
  { asks: () => true, offers: ({ ecap }) => ecap.SMTS, text: 'ECAP.SMTS lacks scalable mode' },
  { asks: ({ PASIDE }) => PASIDE, offers: ({ ecap }) => ecap.PASID, text: 'PASIDE needs ECAP.PASID' },
  { asks: ({ DTE }) => DTE, offers: ({ ecap }) => ecap.DT, text: 'DTE needs device TLBs (ECAP.DT)' },
  { asks: ({ PRE }) => PRE, offers: ({ ecap }) => ecap.PRS, text: 'PRE needs page requests (ECAP.PRS)' },
  {
    asks: ({ RID_PASID }) => RID_PASID !== 0,
    offers: ({ ecap }) => ecap.RPS,
    text: 'RID_PASID needs ECAP.RPS',
  },
];

/** Rules for PASID entries. */
export const PASID_RULES: readonly CapabilityRule<PasidValues>[] = [
  {
    asks: ({ PGTT }) => PGTT === 1,
    offers: ({ ecap }) => ecap.FSTS,
    text: 'PGTT 1 needs first-stage translation (ECAP.FSTS)',
  },
  {
    asks: ({ PGTT }) => PGTT === 2,
    offers: ({ ecap }) => ecap.SSTS,
    text: 'PGTT 2 needs second-stage translation (ECAP.SSTS)',
  },
  {
    asks: ({ PGTT }) => PGTT === 3,
    offers: ({ ecap }) => ecap.NEST,
    text: 'PGTT 3 needs nested translation (ECAP.NEST)',
  },
  {
    asks: ({ PGTT }) => PGTT === 4,
    offers: ({ ecap }) => ecap.PT,
    text: 'PGTT 4 needs pass-through (ECAP.PT)',
  },
  { asks: ({ PGTT }) => PGTT === 2 || PGTT === 3, offers: supportsWidth, text: WIDTH_TEXT },
  {
    asks: ({ PGTT, FSPM }) => (PGTT === 1 || PGTT === 3) && FSPM === 1,
    offers: ({ cap }) => cap.FS5LP,
    text: 'FSPM 1 needs 5-level paging (CAP.FS5LP)',
  },
  {
    asks: ({ PGTT, SSADE }) => (PGTT === 2 || PGTT === 3) && SSADE,
    offers: ({ ecap }) => ecap.SSADS,
    text: 'SSADE needs ECAP.SSADS',
  },
  {
    asks: ({ SRE }) => SRE,
    offers: ({ ecap }) => ecap.SRS,
    text: 'SRE needs supervisor requests (ECAP.SRS)',
  },
  { asks: ({ EAFE }) => EAFE, offers: ({ ecap }) => ecap.EAFS, text: 'EAFE needs ECAP.EAFS' },
  { asks: () => true, offers: hasId, text: ID_TEXT },
];

/** The texts of the rules that an entry breaks. */
export function brokenRules<Values>(
  rules: readonly CapabilityRule<Values>[],
  values: Values,
  capabilities: Capabilities,
): string[] {
  return rules
    .filter(({ asks, offers }) => asks(values) && !offers(capabilities, values))
    .map(({ text }) => text);
}
