// SPDX-License-Identifier: Apache-2.0
// `kho diff` of two memory images: their handovers, or page tables that the user names. Loaded when there are images.
import { escapeText } from '../bytes/printable.js';
import { type MemoryImage, openImage, samePage } from '../image/index.js';
import { diffHandovers, type HandoverDiffOptions } from '../kho/diff-handovers.js';
import { diffPageTables, diffUnits } from '../kho/diff-mappings.js';
import { Handover } from '../kho/handover.js';
import type { HandoverDiff } from '../kho/handover-change.js';
import { locateHandovers } from '../kho/locate.js';
import { writeHandoverDiffJson } from '../render/handover-diff-json.js';
import { writeDiffNotes, writeDiffTitle, writeHandoverDiff } from '../render/handover-diff-text.js';
import type { Stage } from '../vtd/paging-format.js';
import { parseAddress } from './address-argument.js';
import type { Io } from './command.js';
import { EXIT } from './exit-code.js';
import { inFile, UsageError } from './failure.js';
import { type ImageArguments, imageOptions } from './image-options.js';
import { startProgress } from './progress.js';

/** What the user says of two images. */
export interface DiffImagesArguments extends ImageArguments {
  /** Physical address of the root FDT, of both images or of each. */
  readonly fdt: string | undefined;
  /** Value of RTADDR, likewise. */
  readonly root: string | undefined;
  /** Address of a top page table, likewise. */
  readonly pgd: string | undefined;
  readonly levels: number | undefined;
  readonly firstStage: boolean;
  readonly accessed: boolean;
  readonly placement: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly full: boolean;
}

/**
 * Compares two images and prints what differs.
 *
 * @returns the exit code
 * @throws UsageError, FileError
 */
export function diffImages(a: string, b: string, args: DiffImagesArguments, io: Io): number {
  const { fdt, root, pgd, levels, firstStage } = args;
  if ([fdt, root, pgd].filter((each) => each !== undefined).length > 1)
    throw new UsageError('--fdt, --root and --pgd name different things to compare, choose one');
  if (pgd === undefined && (levels !== undefined || firstStage))
    throw new UsageError('--levels and --first-stage go with --pgd');
  const options = imageOptions(args);
  const imageA = inFile(a, () => openImage(a, options));
  try {
    const imageB = inFile(b, () => openImage(b, options));
    try {
      return print(a, b, compare({ file: a, image: imageA }, { file: b, image: imageB }, args), args, io);
    } finally {
      imageB.close();
    }
  } finally {
    imageA.close();
  }
}

interface Side {
  readonly file: string;
  readonly image: MemoryImage;
}

function compare(a: Side, b: Side, args: DiffImagesArguments): HandoverDiff {
  const { root, pgd, fdt } = args;
  const options: HandoverDiffOptions = {
    placement: args.placement,
    accessed: args.accessed,
    maxMappings: args.full ? Number.POSITIVE_INFINITY : undefined,
    samePage,
  };
  return inFile(`${a.file} and ${b.file}`, () => {
    if (pgd !== undefined) {
      const { levels = 4, firstStage } = args;
      const stage: Stage = firstStage ? 'first' : 'second';
      const [tableA, tableB] = addresses(pgd, '--pgd');
      if (((tableA | tableB) & 0xfffn) !== 0n)
        throw new UsageError(`--pgd: expected a multiple of 4096, found "${pgd}"`);
      const [rootA, rootB] = [
        { stage, table: tableA, levels },
        { stage, table: tableB, levels },
      ];
      return diffPageTables(a.image, rootA, b.image, rootB, options);
    }
    if (root !== undefined) {
      const [rtaddrA, rtaddrB] = addresses(root, '--root');
      return diffUnits(a.image, { rtaddr: rtaddrA }, b.image, { rtaddr: rtaddrB }, options);
    }
    const [fdtA, fdtB] = fdt === undefined ? [undefined, undefined] : addresses(fdt, '--fdt');
    return diffHandovers(openHandover(a, fdtA), openHandover(b, fdtB), options);
  });
}

function openHandover({ file, image }: Side, root: bigint | undefined): Handover {
  // Without a search there is nothing to do but to read what is where the user says.
  if (root !== undefined) return inFile(file, () => Handover.open(image, { root, located: NOTHING_LOCATED }));
  const progress = startProgress(`looking through ${escapeText(file)}`);
  try {
    return inFile(file, () => Handover.open(image, { located: locateHandovers(image, progress.update) }));
  } finally {
    progress.end();
  }
}

const NOTHING_LOCATED = { fdts: [], damaged: [], otherFdts: 0, setupData: [], brokenChains: [] };

/** One address for both images, or two with a comma. @throws UsageError */
function addresses(text: string, option: string): readonly [bigint, bigint] {
  const [first = '', second = first, ...rest] = text.split(',');
  if (rest.length > 0) throw new UsageError(`${option}: expected one address or two, found "${text}"`);
  const [a, b] = [parseAddress(first, option), parseAddress(second, option)];
  if ((a | b) >> 64n !== 0n) throw new UsageError(`${option}: expected 64 bits, found "${text}"`);
  return [a, b];
}

function print(a: string, b: string, found: HandoverDiff, args: DiffImagesArguments, io: Io): number {
  const { paint } = io;
  const out = io.stdout.write;
  const { changes, notes } = found;
  if (args.json) writeHandoverDiffJson(out, found);
  else {
    // What could not be compared keeps silence from being a promise.
    const told = args.verbose ? notes : notes.filter(({ kind }) => kind === 'unknown');
    if (changes.length > 0) writeDiffTitle(out, a, b, paint);
    writeHandoverDiff(out, changes, paint);
    if (changes.length > 0 && told.length > 0) out('\n');
    if (args.verbose && changes.length === 0) out('They mean the same.\n');
    writeDiffNotes(out, told, paint);
  }
  return changes.length === 0 ? EXIT.ok : EXIT.findings;
}
