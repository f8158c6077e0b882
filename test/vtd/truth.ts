// SPDX-License-Identifier: Apache-2.0
// What the captured guests said of their VT-d unit: fixtures/kernel-7.3.4/vtd-*.truth.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Capabilities, type DeviceRoot, decodeCapabilities } from '../../src/vtd/index.js';
import { fixturesFolder } from '../fixtures.js';

/** One mapped area: its frames as runs of page in the area, frame, pages. */
export interface Area {
  readonly ioas: number;
  readonly iova: string;
  readonly length: string;
  readonly prot: string;
  readonly mapped: boolean;
  readonly runs: readonly (readonly [number, number, number])[];
}

/** What a guest said. */
export interface Truth {
  readonly registers: {
    readonly CAP: string;
    readonly ECAP: string;
    readonly RTADDR: string;
    readonly IRTA: string;
  };
  readonly cr3: string;
  readonly attach: readonly (readonly [string, number])[];
  readonly areas: readonly Area[];
  readonly dmar_translation_struct: string;
  readonly ir_translation_struct: string;
  /** SHA-256 of the text, by device. */
  readonly domain_translation_struct: Readonly<Record<string, string>>;
  /** SHA-256 of the text. */
  readonly info_tlb: string;
}

/** The two guests. */
export const GUESTS = ['vtd-legacy', 'vtd-scalable'] as const;
export type Guest = (typeof GUESTS)[number];

/** What a guest said. */
export function truthOf(guest: Guest): Truth {
  return JSON.parse(readFileSync(join(fixturesFolder, 'kernel-7.3.4', `${guest}.truth.json`), 'utf8'));
}

/** Capabilities of the unit of both guests. */
export function capabilitiesOf({ registers: { CAP, ECAP } }: Truth): Capabilities {
  return decodeCapabilities(BigInt(CAP), BigInt(ECAP));
}

/** The unit of a guest; 39 bits are what its DMAR table says. */
export function rootOf(truth: Truth): DeviceRoot {
  return { rtaddr: BigInt(truth.registers.RTADDR), capabilities: capabilitiesOf(truth), hostBits: 48 };
}
