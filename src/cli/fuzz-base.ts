// SPDX-License-Identifier: Apache-2.0
// Where cases come from, by what the command line says.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BlobSource } from '../fuzz/blob-source.js';
import type { CaseSource } from '../fuzz/case-source.js';
import { FuzzError } from '../fuzz/error.js';
import { HandoverBench } from '../fuzz/handover-bench.js';
import { ImageSource } from '../fuzz/image-source.js';
import { HANDOVER } from '../fuzz/image-target.js';
import type { CaseForm } from '../fuzz/manifest.js';
import { openImage } from '../image/open.js';
import { knownKernels } from '../kho/kernel-set.js';
import { inFile, UsageError } from './failure.js';
import { schemaNames } from './schema-argument.js';
import { closestWord } from './suggest.js';

/** SHA-256 in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Whether cases of this schema and form are whole handovers. */
export function areImages(schema: string, form: CaseForm): boolean {
  return form === 'image' || schema === HANDOVER || schema.startsWith(`${HANDOVER}-`);
}

/** What makes cases, and what it starts from. */
export interface OpenedSource {
  readonly source: CaseSource;
  /** SHA-256 of the image, where there is one. */
  readonly baseSha256: string | undefined;
  readonly close: () => void;
}

/**
 * Opens what makes cases.
 *
 * @param base - a captured image to start from
 * @throws UsageError for a schema that is not known; FileError
 */
export function openSource(schema: string, form: CaseForm, base: string | undefined): OpenedSource {
  try {
    if (!areImages(schema, form))
      return { source: new BlobSource(schema), baseSha256: undefined, close: () => undefined };
    if (base === undefined)
      return { source: new ImageSource(schema), baseSha256: undefined, close: () => undefined };
    return inFile(base, () => {
      const hash = sha256(readFileSync(base));
      const image = openImage(base);
      const bench = new HandoverBench(image);
      const source = new ImageSource(schema, { bench, name: `@${hash.slice(0, 32)}` });
      return { source, baseSha256: hash, close: () => image.close() };
    });
  } catch (error) {
    if (error instanceof FuzzError && error.code === 'UNKNOWN_SCHEMA') throw unknownSchema(schema, error);
    if (error instanceof FuzzError) throw fuzzUsage(error);
    throw error;
  }
}

/** What is asked for and cannot be made, in words: its code is for programs. */
export function fuzzUsage({ message }: FuzzError): UsageError {
  return new UsageError(message.replace(/^[A-Z_]+: /, ''));
}

function unknownSchema(schema: string, error: FuzzError): UsageError {
  const handovers = [HANDOVER, ...knownKernels().map(({ name }) => `${HANDOVER}-${name}`)];
  const close = closestWord(schema, [...handovers, ...schemaNames()]);
  const text = fuzzUsage(error).message;
  return new UsageError(close === undefined ? text : `${text}, did you mean "${close}"?`, 'kho schema list');
}
