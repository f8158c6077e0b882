// SPDX-License-Identifier: Apache-2.0
// What a chart is made of.
import type { FrameIntervals } from '../memory-lanes.js';

/** One line of intervals. */
export interface ChartLane {
  readonly title: string;
  readonly intervals: FrameIntervals;
  /** Name of the colour of a row, a custom property of the style sheet: `--order-3`. */
  readonly colour: (row: number) => string;
  /** Share of the lane's height that a row takes, default 1. */
  readonly share?: ((row: number) => number) | undefined;
  /** What a row is, for the line below the chart. */
  readonly describe: (row: number) => string;
}

/** A point that is marked across all lanes. */
export interface ChartMark {
  readonly frame: number;
  readonly colour: string;
}
