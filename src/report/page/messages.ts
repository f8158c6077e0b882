// SPDX-License-Identifier: Apache-2.0
// What page and worker say to one another.
import type { HandoverDiff } from '../../kho/handover-change.js';
import type { Analysis } from '../analysis.js';
import type { ReportSide } from '../report-data.js';

/** To the worker: the JSON that lies in the page, or files that were dropped on it. */
export type ToWorker =
  | { readonly kind: 'embedded'; readonly json: string }
  | { readonly kind: 'sides'; readonly sides: readonly ReportSide[] };

/** What was found out about one side. */
export interface LoadedSide {
  readonly side: ReportSide;
  readonly analysis: Analysis;
}

/** From the worker, in this order: what it is about to do, each side, the end. */
export type FromWorker =
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'side'; readonly index: number; readonly loaded: LoadedSide }
  | { readonly kind: 'done'; readonly diff: HandoverDiff | undefined }
  | { readonly kind: 'failed'; readonly message: string };
