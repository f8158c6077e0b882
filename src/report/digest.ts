// SPDX-License-Identifier: Apache-2.0
// A handover in numbers and names, as values that can be handed to another thread.
import type { Handover } from '../kho/handover.js';
import { type HandoverSummary, summarize } from '../kho/summary.js';
import { releaseText } from '../render/layout-note.js';

/** A file of a session. */
export interface FileDigest {
  readonly compatible: string;
  readonly token: bigint;
  readonly size: bigint | undefined;
  /** Physical address of its record. */
  readonly address: bigint;
}

/** A session. */
export interface SessionDigest {
  readonly name: string;
  readonly address: bigint;
  /** The first files. */
  readonly files: readonly FileDigest[];
  readonly fileCount: number;
  readonly bytes: bigint;
}

/** What there is to say of a handover before one looks into it. Names have one character a byte, not escaped. */
export interface Digest extends Omit<HandoverSummary, 'sessions'> {
  /** The first sessions. */
  readonly sessions: readonly SessionDigest[];
  readonly sessionCount: number;
  readonly fileCount: number;
  /** Which kernels write the root's layout. */
  readonly releases: string | undefined;
  /** Where the scratch regions are known from, or why they are not. */
  readonly scratchSource: string;
}

const LISTED = 200;

/** Sums a handover up. Reads all of it. */
export function digestOf(handover: Handover): Digest {
  const { sessions, ...summary } = summarize(handover);
  const version = handover.root.identified?.version;
  return {
    ...summary,
    sessions: sessions.slice(0, LISTED).map(({ name, address, files }) => ({
      name,
      address,
      files: files.slice(0, LISTED).map(({ compatible, token, size, address: at }) => {
        return { compatible, token, size, address: at };
      }),
      fileCount: files.length,
      bytes: files.reduce((sum, { size = 0n }) => sum + size, 0n),
    })),
    sessionCount: sessions.length,
    fileCount: sessions.reduce((sum, { files }) => sum + files.length, 0),
    releases: version && releaseText(version),
    scratchSource: handover.scratch.source,
  };
}
