// SPDX-License-Identifier: Apache-2.0
// An image cut down to what its handover is read from says the same as the whole image, and holds nothing of guests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type MemoryImage, openImage, trimImage } from '../../src/image/index.js';
import {
  diffHandovers,
  diffUnits,
  Handover,
  handoverPages,
  locateHandovers,
  unitPages,
  verifyHandover,
} from '../../src/kho/index.js';
import { capture, missingCaptures } from '../captures.js';
import { trimmedCore } from '../image/image-files.js';
import { openCapture, openEarlyCapture, openSecondCapture } from '../schemas/captured.js';
import { GUESTS, rootOf, truthOf } from '../vtd/truth.js';

const folder = mkdtempSync(join(tmpdir(), 'kho-pages-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
if (missingCaptures !== undefined) console.warn(`SKIP trimming of whole images: ${missingCaptures}`);

let files = 0;

/** Cuts an image down to its handover. */
function trimmed(image: MemoryImage, contents = false): MemoryImage {
  const located = locateHandovers(image);
  const path = join(folder, `${files++}.elf`);
  trimImage(image, path, handoverPages(Handover.open(image, { located }), located, contents), true);
  return openImage(path);
}

/** Frames of folios and reserved memory. */
function guestFrames({ reach }: Handover): number[] {
  const frames: number[] = [];
  for (let run = 0; run < reach.count; run++)
    if (reach.kind(run) === 'folio' || reach.kind(run) === 'region')
      for (let page = 0; page < reach.pages(run); page++) frames.push(reach.pfn(run) + page);
  return frames;
}

const whole = missingCaptures === undefined ? openImage(capture('kho-luo/handover.raw')) : undefined;
const IMAGES: readonly (readonly [string, MemoryImage | undefined])[] = [
  ['at machine_kexec', openCapture()],
  ['in the next kernel', openEarlyCapture()],
  ['partly overwritten', openSecondCapture()],
  ['of a whole guest', whole],
];

describe.each(IMAGES)('the pages of a handover %s', (_name, image) => {
  it.skipIf(image === undefined)('say the same as all of the image, and verify the same', () => {
    if (image === undefined) return;
    const before = Handover.open(image);
    const after = Handover.open(trimmed(image));
    expect(diffHandovers(before, after, { placement: true }).changes).toEqual([]);
    const verdict = verifyHandover(after);
    expect(verdict).toEqual(verifyHandover(before));
    expect({ issues: after.issues, setupData: after.setupData, others: after.otherRoots }).toEqual({
      issues: before.issues,
      setupData: before.setupData,
      others: before.otherRoots,
    });
  });

  it.skipIf(image === undefined)('hold nothing of guests, unless that is asked for', () => {
    if (image === undefined) return;
    const handover = Handover.open(image);
    const frames = guestFrames(handover);
    const small = trimmed(image);
    expect(frames.filter((pfn) => typeof small.page(pfn) !== 'string')).toHaveLength(0);
    // That there was memory is kept.
    const lost = frames.filter((pfn) => small.page(pfn) === 'absent' && image.page(pfn) !== 'absent');
    expect(lost).toHaveLength(0);
    const full = trimmed(image, true);
    const held = frames.filter((pfn) => typeof image.page(pfn) !== 'string');
    expect(held.filter((pfn) => Buffer.compare(pageOf(full, pfn), pageOf(image, pfn)) !== 0)).toHaveLength(0);
  });
});

function pageOf(image: MemoryImage, pfn: number): Uint8Array {
  const page = image.page(pfn);
  if (typeof page === 'string') throw new Error(`page frame ${pfn} is ${page}`);
  return page;
}

describe.each(GUESTS)('the pages of the VT-d unit of %s', (guest) => {
  it('map the same as all of the image', () => {
    const image = openImage(trimmedCore(guest));
    const unit = rootOf(truthOf(guest));
    const path = join(folder, `${guest}.elf`);
    trimImage(image, path, unitPages(image, unit));
    const small = openImage(path);
    expect(small.counts().present).toBeLessThan(image.counts().present);
    expect(diffUnits(image, unit, small, unit, { accessed: true })).toMatchObject({
      changes: [],
      notes: [],
    });
  });
});
