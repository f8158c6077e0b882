// SPDX-License-Identifier: Apache-2.0
// Unpacks and analyses what a page shows: in a worker, or where there is none in the page itself.
import { KhoError } from '../../bytes/issue.js';
import { analyse, compareSides } from '../analysis.js';
import { type PackedFile, unpackJson } from '../embedded.js';
import { type OpenedSide, openSide } from '../open-side.js';
import type { ReportFile, ReportSide } from '../report-data.js';
import type { FromWorker, ToWorker } from './messages.js';

/** Does what the page asks for and tells what comes of it. */
export async function answer(request: ToWorker, post: (message: FromWorker) => void): Promise<void> {
  try {
    const packed = request.kind === 'embedded' ? unpackJson(request.json) : undefined;
    const sides: ReportSide[] = request.kind === 'sides' ? [...request.sides] : [];
    for (const side of packed?.sides ?? [])
      sides.push({ ...side, files: await Promise.all(side.files.map(unpack)) });
    const opened: OpenedSide[] = [];
    for (const [index, side] of sides.entries()) {
      post({ kind: 'progress', text: `Reading ${side.title}` });
      const one = openSide(side);
      opened.push(one);
      post({ kind: 'side', index, loaded: { side, analysis: analyse(one) } });
    }
    const [a, b] = opened;
    const diff = packed?.diff ?? (a === undefined || b === undefined ? undefined : compareSides(a, b));
    post({ kind: 'done', diff });
  } catch (error) {
    // What is wrong with the input is told in its own words; anything else is told as what it is.
    const message = error instanceof KhoError ? error.message : `unexpected: ${String(error)}`;
    post({ kind: 'failed', message });
  }
}

async function unpack({ name, size, data }: PackedFile): Promise<ReportFile> {
  const packed = bytesOf(data);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const bytes = new Uint8Array(size);
  let at = 0;
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    bytes.set(part.value.subarray(0, size - at), at);
    at += part.value.length;
  }
  return { name, bytes };
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}
