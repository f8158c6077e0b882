// SPDX-License-Identifier: Apache-2.0
import type { HandoverIssue } from './handover-issue.js';

/** Something wrong with the map, as its readers tell it. */
export type MapIssue = Omit<HandoverIssue, 'part' | 'consumer'>;

/** What a reader of an encoded map tells. */
export interface MapReader {
  /** Physical address of the pointer to the map. */
  readonly pointerAddress: bigint;
  issue(issue: MapIssue): void;
  /** A page frame that the map itself takes. @returns false when there are too many */
  node(pfn: number): boolean;
  /** `blocks` blocks of 2^order pages from page frame `start` on; `holder` is the physical address of what says so. */
  run(order: number, start: number, blocks: number, holder: bigint): void;
}
