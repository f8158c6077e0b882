// SPDX-License-Identifier: Apache-2.0
// What goes into a report: blobs as they are, of images the pages that a handover is read from.
import { deflateRawSync } from 'node:zlib';
import { escapeText } from '../bytes/printable.js';
import { coreBytes } from '../image/core-bytes.js';
import { machineNumber } from '../image/core-headers.js';
import type { MemoryImage } from '../image/open.js';
import { openImage } from '../image/open.js';
import { otherPages, type PageRun, selectPages } from '../image/page-runs.js';
import { samePage } from '../image/same-page.js';
import { diffHandovers } from '../kho/diff-handovers.js';
import { type GivenSpaces, givenSpacesFromJson } from '../kho/given-spaces.js';
import { Handover } from '../kho/handover.js';
import type { HandoverDiff } from '../kho/handover-change.js';
import { handoverPages, unitPages } from '../kho/handover-pages.js';
import { locateHandovers } from '../kho/locate.js';
import { formatSize } from '../render/size.js';
import type { PackedFile, PackedSide } from '../report/embedded.js';
import { openSide } from '../report/open-side.js';
import { FileError, inFile } from './failure.js';
import { readDebugfsFolder } from './folder-input.js';
import { isImageFile } from './image-file.js';
import { type ImageArguments, imageOptions } from './image-options.js';
import { isFolder, readInput } from './input.js';
import { parseJson } from './json-input.js';
import { startProgress } from './progress.js';

/** What the user says of the inputs. */
export interface ReportArguments extends ImageArguments {
  /** Contents of files and of reserved memory as well. */
  readonly contents: boolean;
  /** File that describes address spaces. */
  readonly areas: string | undefined;
  /** Physical address of the root FDT. */
  readonly root: bigint | undefined;
}

/** More bytes than this no browser would decode in comfort. */
const LARGEST = 256 << 20;

/** A side as it goes into the page, and what it was read from while that is open. */
export interface OpenReportSide {
  readonly packed: PackedSide;
  /** `undefined` for blobs and folders, of which the page has all. */
  readonly handover: Handover | undefined;
  readonly close: () => void;
}

/** Reads one input. @throws FileError */
export function openReportSide(file: string, args: ReportArguments): OpenReportSide {
  const { areas } = args;
  const described = areas === undefined ? undefined : parseJson(areas, readInput(areas));
  const title = file === '-' ? 'stdin' : file;
  if (args.raw || isImageFile(file)) return openImageInput(file, described, args);
  const files = isFolder(file)
    ? [...readDebugfsFolder(file)].map(([name, bytes]) => ({ name, bytes }))
    : [{ name: title, bytes: readInput(file) }];
  // What the page could not open is told here, where somebody reads it.
  inFile(file, () => openSide({ title, files, areas: described }));
  return {
    packed: { title, files: files.map(({ name, bytes }) => pack(name, bytes)), areas: described },
    handover: undefined,
    close: () => {},
  };
}

function pack(name: string, bytes: Uint8Array): PackedFile {
  return { name, size: bytes.length, data: deflateRawSync(bytes, { level: 6 }).toString('base64') };
}

function openImageInput(file: string, areas: unknown, args: ReportArguments): OpenReportSide {
  const { root, contents } = args;
  return inFile(file, () => {
    const image = openImage(file, imageOptions(args));
    try {
      const progress = startProgress(`looking through ${escapeText(file)}`);
      let located: ReturnType<typeof locateHandovers>;
      try {
        located = locateHandovers(image, progress.update);
      } finally {
        progress.end();
      }
      const given = areas === undefined ? undefined : givenSpacesFromJson(areas);
      const handover = Handover.open(image, { located, given, root });
      const bytes = trimmed(file, image, pagesOf(handover, located, contents, given));
      const packed = { title: file, files: [pack(file, bytes)], trimmedFrom: image.fileSize, areas, root };
      return { packed, handover, close: () => image.close() };
    } catch (error) {
      image.close();
      throw error;
    }
  });
}

/** Pages that the handover is read from, and the tables of address spaces that somebody describes. */
function* pagesOf(
  handover: Handover,
  located: ReturnType<typeof locateHandovers>,
  contents: boolean,
  given: GivenSpaces | undefined,
): Generator<PageRun, void> {
  yield* handoverPages(handover, located, contents);
  // A value that is no RTADDR is told as what is wrong with the description, in the page.
  if (given?.rtaddr !== undefined && handover.given.contexts !== undefined)
    yield* unitPages(handover.memory, { rtaddr: given.rtaddr });
  for (const { result } of handover.walks)
    for (const column of result?.tablePages ?? []) for (const pfn of column) yield { pfn, count: 1 };
}

function trimmed(file: string, image: MemoryImage, wanted: Iterable<PageRun>): Uint8Array {
  const { present } = selectPages(wanted, image.ranges());
  const size = present.reduce((sum, { count }) => sum + count * 4096, 0);
  if (size > LARGEST) {
    const limit = formatSize(LARGEST);
    throw new FileError(
      file,
      new Error(`the handover takes ${formatSize(size)}; a report holds ${limit} at most, see kho verify`),
    );
  }
  return coreBytes(image, present, machineNumber(image.machine), otherPages(present, image.ranges()));
}

/** How two images differ, found out on all of them; `undefined` where the page can do that itself. */
export function diffOpenSides([a, b]: readonly OpenReportSide[]): HandoverDiff | undefined {
  if (a?.handover === undefined || b?.handover === undefined) return undefined;
  const { changes, notes } = diffHandovers(a.handover, b.handover, { samePage });
  return { changes, notes };
}
