// SPDX-License-Identifier: Apache-2.0
import { KhoError } from '../bytes/issue.js';
import { type Fdt, openFdt } from '../fdt/fdt.js';
import { openImageBytes } from '../image/open-bytes.js';
import { type DebugfsSide, looksLikeFdt, openDebugfsFolder } from '../kho/debugfs-folder.js';
import { looksLikeImage } from '../kho/file-kind.js';
import { givenSpacesFromJson } from '../kho/given-spaces.js';
import { Handover, type HandoverOptions } from '../kho/handover.js';
import { type LocateResult, locateHandovers } from '../kho/locate.js';
import { memoryOfSide } from '../kho/side-memory.js';
import type { Identified } from '../schemas/identify.js';
import { identifyFdt, identifyNamed } from '../schemas/identify-blob.js';
import type { ReportSide } from './report-data.js';

/** What a side turned out to be. */
export type SideForm = 'image' | 'folder' | 'root' | 'blob';

/** A blob that is no root of a handover: a consumer's, or some other device tree. */
export interface SingleBlob {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** `undefined` for a packed struct. */
  readonly fdt: Fdt | undefined;
  readonly identified: Identified | undefined;
}

/** A side that has been opened. */
export interface OpenedSide {
  readonly form: SideForm;
  readonly title: string;
  /** `undefined` for a single blob. */
  readonly handover: Handover | undefined;
  readonly blob: SingleBlob | undefined;
  /** What a search found; `undefined` where there was nothing to search. */
  readonly located: LocateResult | undefined;
  /** What the file says of itself: label and text. */
  readonly facts: readonly (readonly [label: string, text: string])[];
  /** What a careful user wants to know and is no error. */
  readonly remarks: readonly string[];
}

/**
 * Opens what a report shows: an image, a KHO debugfs folder, a root FDT, or another blob.
 *
 * @param located - what a search of the same image found before
 * @throws KhoError in the words of the floor that cannot read it
 */
export function openSide(side: ReportSide, located?: LocateResult): OpenedSide {
  const { title, files } = side;
  const [first] = files;
  const given = side.areas === undefined ? undefined : givenSpacesFromJson(side.areas);
  const nothing = { title, handover: undefined, blob: undefined, located: undefined, facts: [], remarks: [] };
  if (files.length !== 1 || first === undefined) {
    const [opened] = openDebugfsFolder(new Map(files.map(({ name, bytes }) => [name, bytes])), {
      tolerant: true,
    });
    return { ...nothing, form: 'folder', handover: partialHandover(opened, { given }) };
  }
  const { bytes, name } = first;
  if (looksLikeImage(bytes.subarray(0, 16), bytes.length))
    return openImageSide(side, bytes, { given, root: side.root }, located);
  if (!looksLikeFdt(bytes)) {
    const identified = identifyNamed(name.replace(/^.*\//s, '').replace(/\.\w+$/, ''), bytes);
    return { ...nothing, form: 'blob', blob: { name, bytes, fdt: undefined, identified } };
  }
  const fdt = openFdt(bytes, { tolerant: true });
  const identified = identifyFdt(fdt);
  if (identified !== undefined && identified.family.name !== 'kho-root')
    return { ...nothing, form: 'blob', blob: { name, bytes, fdt, identified } };
  return { ...nothing, form: 'root', handover: partialHandover({ root: bytes, blobs: [] }, { given }) };
}

function partialHandover(
  side: (Pick<DebugfsSide, 'root' | 'blobs'> & Partial<DebugfsSide>) | undefined,
  options: HandoverOptions,
): Handover | undefined {
  if (side === undefined) return undefined;
  const { memory, root } = memoryOfSide(side);
  const scratch = side.scratch !== undefined && side.scratch.length > 0 ? side.scratch : undefined;
  return Handover.open(memory, { ...options, scratch, root, partial: true });
}

function openImageSide(
  { title }: ReportSide,
  bytes: Uint8Array,
  options: HandoverOptions,
  known: LocateResult | undefined,
): OpenedSide {
  const remarks: string[] = [];
  const { memory, format, machine, facts } = openImageBytes(bytes, {}, (text) => remarks.push(text));
  const located = known ?? locateHandovers(memory);
  return {
    form: 'image',
    title,
    handover: Handover.open(memory, { ...options, located }),
    blob: undefined,
    located,
    facts: [
      ['format', format],
      ...(machine === undefined ? [] : [['machine', machine] as const]),
      ...Object.entries(facts).map(([label, value]) => [label, `${value}`] as const),
    ],
    remarks,
  };
}

/** What went wrong, in one line, where it is the input's fault. @throws what is not */
export function faultOf(error: unknown): string {
  if (error instanceof KhoError) return error.message;
  throw error;
}
