// SPDX-License-Identifier: Apache-2.0
import type { ImageMemory } from '../image-memory.js';
import type { TruncatedChoice } from '../segments.js';

/** The formats this package reads, by the name it shows. */
export type ImageFormat = 'raw' | 'elf-core' | 'kdump' | 'lime' | 'avml';

/** Page frames from `start` up to and without `end`. */
export interface PageSpan {
  readonly start: number;
  readonly end: number;
}

/** What opening a format needs beside the bytes. */
export interface FormatContext {
  readonly truncated: TruncatedChoice;
  /** Takes note of something a user may want to know that is not an error. */
  remark(text: string): void;
}

/** What a format made of a file. */
export interface OpenedFormat {
  readonly format: ImageFormat;
  readonly memory: ImageMemory;
  /** The dumped machine as the file names it, where it does. */
  readonly machine?: string | undefined;
  /** The page frames a file of a split set is for. */
  readonly part?: PageSpan | undefined;
  /** ELF notes (CPU registers) of the dump, as bytes of a PT_NOTE segment. */
  readonly notes?: (() => Uint8Array) | undefined;
  /** What else the headers say, for people: label to value. */
  readonly facts: Readonly<Record<string, string | number>>;
}
