// SPDX-License-Identifier: Apache-2.0
// How a chart is drawn.
import { formatHex } from '../../bytes/hex.js';
import { firstEndingAfter } from '../memory-lanes.js';
import type { ChartLane, ChartMark } from './chart-lane.js';

/** The part of the line that is in sight, in page frames. */
export interface View {
  readonly start: number;
  readonly span: number;
}

/** Heights in pixels: of a lane, of the addresses above, of the overview below. */
export const LANE = 26;
export const AXIS = 30;
export const OVERVIEW = 14;

/** What is drawn, and how large. */
export interface Scene {
  readonly lanes: readonly ChartLane[];
  readonly marks: readonly ChartMark[];
  readonly view: View;
  readonly all: View;
  readonly width: number;
  readonly height: number;
  readonly gutter: number;
  readonly point: { readonly frame: number; readonly lane: number } | undefined;
}

/** Draws all of it. */
export function draw(canvas: HTMLCanvasElement, scene: Scene): void {
  const { lanes, marks, view, all, width, height, gutter, point } = scene;
  const ratio = Math.max(1, devicePixelRatio);
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colours = new Map<string, string>();
  const colour = (name: string): string => {
    const known = colours.get(name) ?? style.getPropertyValue(name).trim();
    colours.set(name, known);
    return known;
  };
  context.clearRect(0, 0, width, height);
  const inner = width - gutter;
  const x = (frame: number): number => gutter + ((frame - view.start) / view.span) * inner;
  drawAxis(context, { view, width, gutter, height: height - OVERVIEW - 8, colour, font: style.fontFamily });
  context.font = `12px ${style.getPropertyValue('--sans')}`;
  context.textBaseline = 'middle';
  lanes.forEach((lane, index) => {
    const top = AXIS + index * LANE;
    context.fillStyle = colour('--muted');
    context.textAlign = 'left';
    context.fillText(lane.title, 0, top + LANE / 2, gutter - 8);
    context.fillStyle = colour(point?.lane === index ? '--lane-own' : '--lane');
    context.fillRect(gutter, top + 3, inner, LANE - 6);
    drawLane(context, lane, { view, x, top: top + 3, height: LANE - 6, gutter, width, colour });
  });
  for (const { frame, colour: name } of marks) {
    if (frame < view.start || frame > view.start + view.span) continue;
    const at = x(frame);
    context.fillStyle = colour(name);
    context.beginPath();
    context.moveTo(at - 5, AXIS - 9);
    context.lineTo(at + 5, AXIS - 9);
    context.lineTo(at, AXIS - 1);
    context.fill();
    context.fillRect(at - 0.5, AXIS, 1, lanes.length * LANE);
  }
  if (point !== undefined && point.frame >= view.start && point.frame <= view.start + view.span) {
    context.fillStyle = colour('--accent');
    context.fillRect(x(point.frame) - 0.5, AXIS - 4, 1, lanes.length * LANE + 4);
  }
  // Below: all there is, and which part of it is shown.
  const top = AXIS + lanes.length * LANE + 6;
  context.fillStyle = colour('--lane');
  context.fillRect(gutter, top, inner, 6);
  const from = Math.min(width - 3, gutter + ((view.start - all.start) / all.span) * inner);
  context.fillStyle = colour('--accent');
  context.fillRect(from, top, Math.max(3, (view.span / all.span) * inner), 6);
}

function drawLane(
  context: CanvasRenderingContext2D,
  { intervals, colour: nameOf, share }: ChartLane,
  place: {
    readonly view: View;
    readonly x: (frame: number) => number;
    readonly top: number;
    readonly height: number;
    readonly gutter: number;
    readonly width: number;
    readonly colour: (name: string) => string;
  },
): void {
  const { view, x, top, height, gutter, width, colour } = place;
  const { starts, ends } = intervals;
  let drawnTo = -1;
  let drawnColour = '';
  for (let row = firstEndingAfter(intervals, view.start); row < starts.length; row++) {
    const start = starts[row] ?? 0;
    if (start > view.start + view.span) break;
    const from = Math.max(gutter, x(start));
    // Small things are a pixel wide, so that they are seen at any scale.
    const to = Math.min(width, Math.max(x(ends[row] ?? 0), from + 1));
    const name = nameOf(row);
    // Of many in one pixel one is enough.
    if (to <= drawnTo && name === drawnColour) continue;
    context.fillStyle = colour(name);
    const part = height * (share?.(row) ?? 1);
    context.fillRect(from, top + height - part, to - from, part);
    drawnTo = Math.ceil(to);
    drawnColour = name;
  }
}

function drawAxis(
  context: CanvasRenderingContext2D,
  axis: {
    readonly view: View;
    readonly width: number;
    readonly gutter: number;
    readonly height: number;
    readonly colour: (name: string) => string;
    readonly font: string;
  },
): void {
  const { view, width, gutter, height, colour, font } = axis;
  const inner = width - gutter;
  const most = Math.max(1, Math.floor(inner / 130));
  const step = 2 ** Math.max(0, Math.ceil(Math.log2(view.span / most)));
  context.font = `11px ${font}`;
  context.textBaseline = 'alphabetic';
  let labelled = 0;
  for (let frame = Math.ceil(view.start / step) * step; frame <= view.start + view.span; frame += step) {
    const at = gutter + ((frame - view.start) / view.span) * inner;
    context.fillStyle = colour('--grid');
    context.fillRect(Math.round(at), 16, 1, height - 16);
    context.fillStyle = colour('--muted');
    const text = formatHex(frame * 4096);
    const wide = context.measureText(text).width;
    context.textAlign = 'left';
    const left = Math.min(at, width - wide);
    if (left > labelled) context.fillText(text, left, 12);
    labelled = Math.max(labelled, left + wide + 10);
  }
}
