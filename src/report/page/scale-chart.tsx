// SPDX-License-Identifier: Apache-2.0
// Intervals on a line of addresses, drawn to scale on a canvas, that can be zoomed and moved.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { formatSize } from '../../render/size.js';
import { firstEndingAfter } from '../memory-lanes.js';
import { AXIS, draw, LANE, OVERVIEW, type View } from './chart-canvas.js';
import type { ChartLane, ChartMark } from './chart-lane.js';
import { usePrinting } from './printing.js';

/** What a chart shows. */
export interface ScaleChartProps {
  readonly label: string;
  readonly lanes: readonly ChartLane[];
  readonly marks?: readonly ChartMark[] | undefined;
  /** All that there is, in page frames. */
  readonly start: number;
  readonly end: number;
  /** Shown at first; all of it without. */
  readonly first?: { readonly start: number; readonly end: number } | undefined;
  /** Zooms there when the object is another than before. */
  readonly go?: { readonly start: number; readonly end: number } | undefined;
  /** Told the frame that was clicked, or that Enter was pressed on. */
  readonly onPick?: ((frame: number) => void) | undefined;
  readonly children?: JSX.Element | undefined;
}

/** As close as one gets: 16 pages across. */
const CLOSEST = 16;

/** The chart with its buttons, and a line that says what the pointer is on. */
export function ScaleChart(props: ScaleChartProps): JSX.Element {
  const { label, lanes, marks = [], start, end, first, go, onPick, children } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const all: View = { start, span: Math.max(CLOSEST, end - start) };
  const [point, setPoint] = useState<{ readonly frame: number; readonly lane: number } | undefined>(
    undefined,
  );
  const [width, setWidth] = useState(0);
  const drag = useRef<{ readonly x: number; readonly view: View; moved: boolean } | undefined>(undefined);
  const isPrinting = usePrinting();
  const gutter = width < 620 ? 92 : 132;
  const height = AXIS + lanes.length * LANE + OVERVIEW + 8;

  const bound = ({ start: from, span }: View): View => {
    const wide = Math.min(all.span, Math.max(CLOSEST, span));
    return { span: wide, start: Math.min(all.start + all.span - wide, Math.max(all.start, from)) };
  };
  const around = (part: ScaleChartProps['first']): View | undefined => {
    if (part === undefined) return undefined;
    const span = Math.max(CLOSEST, (part.end - part.start) * 1.1);
    return bound({ span, start: (part.start + part.end) / 2 - span / 2 });
  };
  const [view, setView] = useState<View>(() => around(first) ?? all);
  const zoom = (factor: number, around: number): void =>
    setView((now) => bound({ span: now.span * factor, start: around - (around - now.start) * factor }));
  const frameAt = (x: number): number =>
    view.start + ((x - gutter) / Math.max(1, width - gutter)) * view.span;

  useLayoutEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  useEffect(() => setView(around(first) ?? all), [start, end, first]);
  useEffect(() => {
    if (go === undefined) return;
    const span = Math.max(CLOSEST, (go.end - go.start) * 1.5);
    setView(bound({ span, start: (go.start + go.end) / 2 - span / 2 }));
    setPoint({ frame: go.start, lane: -1 });
    canvas.current?.scrollIntoView({ block: 'center' });
  }, [go]);
  useEffect(() => {
    const element = canvas.current;
    // Listeners of the framework are passive, and a wheel that zooms must not scroll.
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey && !event.shiftKey && event.deltaX === 0 && !isFocused(element))
        return;
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const by = ((event.deltaX || event.deltaY) / Math.max(1, width)) * view.span;
        setView((now) => bound({ ...now, start: now.start + by }));
      } else zoom(1.0015 ** event.deltaY, frameAt(event.offsetX));
    };
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  });
  useLayoutEffect(() => {
    const element = canvas.current;
    if (element !== null && width > 0)
      draw(element, { lanes, marks, view, all, width, height, gutter, point });
  });
  // The colours are those of the theme: drawn anew when that changes.
  useEffect(() => {
    const redraw = (): void => setView((now) => ({ ...now }));
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', redraw);
    const observer = new MutationObserver(redraw);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme', 'data-print'] });
    return () => {
      media.removeEventListener('change', redraw);
      observer.disconnect();
    };
  }, []);

  const laneAt = (y: number): number => {
    const lane = Math.floor((y - AXIS) / LANE);
    return lane >= 0 && lane < lanes.length ? lane : -1;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = point?.frame ?? view.start + view.span / 2;
    const step = view.span / 40;
    const keys: Readonly<Record<string, () => void>> = {
      '+': () => zoom(0.5, at),
      '=': () => zoom(0.5, at),
      '-': () => zoom(2, at),
      '0': () => setView(all),
      ArrowLeft: () => moveTo(at - step),
      ArrowRight: () => moveTo(at + step),
      ArrowUp: () => setPoint({ frame: at, lane: Math.max(0, (point?.lane ?? 0) - 1) }),
      ArrowDown: () => setPoint({ frame: at, lane: Math.min(lanes.length - 1, (point?.lane ?? -1) + 1) }),
      Enter: () => onPick?.(Math.floor(at)),
    };
    const action = keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
  const moveTo = (frame: number): void => {
    const to = Math.min(all.start + all.span, Math.max(all.start, frame));
    setPoint({ frame: to, lane: point?.lane ?? 0 });
    if (to < view.start || to > view.start + view.span)
      setView(bound({ ...view, start: to - view.span / 2 }));
  };
  const middle = view.start + view.span / 2;
  return (
    <div class="chart">
      {isPrinting ? null : (
        <div class="chart-bar">
          <button type="button" onClick={() => zoom(0.5, middle)} aria-label="zoom in" title="zoom in (+)">
            +
          </button>
          <button type="button" onClick={() => zoom(2, middle)} aria-label="zoom out" title="zoom out (-)">
            −
          </button>
          <button type="button" onClick={() => setView(all)} title="show all (0)">
            All
          </button>
          {children}
          <span class="how shown">{rangeText(view)}</span>
        </div>
      )}
      <canvas
        ref={canvas}
        style={{ height: `${height}px` }}
        aria-label={`${label}. Arrow keys move, plus and minus zoom, Enter shows the bytes.`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          drag.current = { x: event.offsetX, view, moved: false };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const held = drag.current;
          if (held !== undefined) {
            const by = ((held.x - event.offsetX) / Math.max(1, width - gutter)) * held.view.span;
            if (Math.abs(held.x - event.offsetX) > 3) held.moved = true;
            if (held.moved) setView(bound({ ...held.view, start: held.view.start + by }));
          }
          if (event.offsetX >= gutter)
            setPoint({ frame: frameAt(event.offsetX), lane: laneAt(event.offsetY) });
        }}
        onPointerUp={(event) => {
          const held = drag.current;
          drag.current = undefined;
          if (held?.moved === false && event.offsetX >= gutter) onPick?.(Math.floor(frameAt(event.offsetX)));
        }}
        onPointerLeave={() => {
          if (drag.current === undefined) setPoint(undefined);
        }}
        onDblClick={(event) => zoom(0.25, frameAt(event.offsetX))}
      />
      <p class="readout" aria-live="polite">
        {point === undefined ? (
          <span class="how">Drag to move; click the chart, then the wheel zooms. Double click zooms in.</span>
        ) : (
          <Readout
            lanes={lanes}
            frame={point.frame}
            lane={point.lane}
            slack={view.span / Math.max(1, width)}
          />
        )}
      </p>
    </div>
  );
}

/** The addresses that are in sight. */
function rangeText({ start, span }: View): string {
  const end = Math.ceil(start + span) * 4096 - 1;
  return `${formatHex(Math.floor(start) * 4096)} – ${formatHex(end)} (${formatSize(BigInt(Math.round(span)) * 4096n)})`;
}

function isFocused(element: HTMLElement | null): boolean {
  return element !== null && document.activeElement === element;
}

function Readout(props: {
  readonly lanes: readonly ChartLane[];
  readonly frame: number;
  readonly lane: number;
  readonly slack: number;
}): JSX.Element {
  const { lanes, frame, lane, slack } = props;
  const parts = lanes.flatMap((each, index) => {
    // What is narrower than a pixel is found within one.
    const row = firstEndingAfter(each.intervals, frame - slack);
    const isHere = row < each.intervals.starts.length && (each.intervals.starts[row] ?? 0) <= frame + slack;
    return isHere ? [{ text: `${each.title}: ${each.describe(row)}`, isOwn: index === lane }] : [];
  });
  parts.sort((a, b) => Number(b.isOwn) - Number(a.isOwn));
  return (
    <>
      <strong class="mono">{formatHex(Math.max(0, Math.floor(frame)) * 4096)}</strong>
      {parts.length === 0
        ? ' nothing known'
        : parts.map(({ text, isOwn }) => (
            <span key={text} class={isOwn ? 'own' : undefined}>
              {text}
            </span>
          ))}
    </>
  );
}
