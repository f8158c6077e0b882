// SPDX-License-Identifier: Apache-2.0
// Rows of one height, of which only those in sight are in the document. Written here since it is less than what any
// package would want configured, and since positions beyond what browsers can scroll to are scaled.
import type { JSX } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { usePrinting } from './printing.js';

/** Browsers lay nothing out beyond some 16 to 33 million pixels. */
const TALLEST = 8_000_000;
const EXTRA = 6;

/** What a list shows and how. */
export interface VirtualListProps {
  readonly count: number;
  /** Of one row, in pixels. */
  readonly rowHeight: number;
  readonly row: (index: number) => JSX.Element;
  readonly class: string;
  readonly label: string;
  readonly role?: 'tree' | 'grid' | 'list' | 'listbox' | undefined;
  /** Scrolls to this row when the object is another than before. */
  readonly show?: { readonly index: number; readonly align?: 'near' | 'center' } | undefined;
  /** What else the list listens to. */
  readonly handlers?: {
    readonly onKeyDown?: (event: KeyboardEvent) => void;
    readonly onMouseMove?: (event: MouseEvent) => void;
    readonly onMouseLeave?: () => void;
    readonly onClick?: (event: MouseEvent) => void;
  };
  /** Id of the row that the keyboard is on. */
  readonly active?: string | undefined;
  /** Rows that are printed at most. */
  readonly printed?: number | undefined;
  /** Fixed rows above, that scroll sideways with the rest. */
  readonly head?: JSX.Element | undefined;
}

/** A scrolling list. */
export function VirtualList(props: VirtualListProps): JSX.Element {
  const { count, rowHeight, row, label, role = 'list', show, active, printed = 200, head } = props;
  const element = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const isPrinting = usePrinting();
  const full = count * rowHeight;
  const tall = Math.min(full, TALLEST);
  // Of a list too tall each pixel scrolled stands for more than one.
  const scale = tall > height && full > tall ? (full - height) / (tall - height) : 1;
  const offset = Math.min(top * scale, Math.max(0, full - height));
  const first = Math.max(0, Math.floor(offset / rowHeight) - EXTRA);
  const last = Math.min(count, Math.ceil((offset + height) / rowHeight) + EXTRA);

  useLayoutEffect(() => {
    const list = element.current;
    if (list === null) return undefined;
    const observer = new ResizeObserver(() => setHeight(list.clientHeight));
    observer.observe(list);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    const list = element.current;
    if (list === null || show === undefined) return;
    const at = show.index * rowHeight;
    const isInSight = at >= offset && at + rowHeight * 2 <= offset + height;
    if (isInSight && show.align !== 'center') return;
    const wanted = Math.max(0, at - Math.floor(height / (show.align === 'center' ? 3 : 2)));
    list.scrollTop = wanted / scale;
    setTop(list.scrollTop);
  }, [show]);

  if (isPrinting)
    return (
      <div class={`${props.class} printed`}>
        {head}
        {Array.from({ length: Math.min(count, printed) }, (_, index) => (
          <div key={index} class="vrow">
            {row(index)}
          </div>
        ))}
        {count > printed ? (
          <p class="more">… {(count - printed).toLocaleString('en')} more, not printed</p>
        ) : null}
      </div>
    );
  const follow = ({ currentTarget }: { readonly currentTarget: HTMLDivElement }): void =>
    setTop(currentTarget.scrollTop);
  const attributes = {
    role,
    'aria-label': label,
    'aria-activedescendant': active,
    tabIndex: 0,
    onScroll: follow,
    ...props.handlers,
  } as const;
  const rows: JSX.Element[] = [];
  // Elements are used again for other rows: making new ones takes most of the time of scrolling.
  const slots = Math.ceil(height / rowHeight) + 2 * EXTRA + 1;
  // Rows lie where they are seen, so that the height that is scrolled through may be scaled.
  for (let index = first; index < last; index++) {
    rows.push(
      <div
        key={index % slots}
        class="vrow"
        style={{ top: `${index * rowHeight - offset + top}px`, height: `${rowHeight}px` }}
      >
        {row(index)}
      </div>,
    );
  }
  return (
    <div ref={element} class={`vlist ${props.class}`} style={{ '--full': `${full + 32}px` }} {...attributes}>
      {head}
      <div class="vspace" style={{ height: `${tall}px` }}>
        {rows}
      </div>
    </div>
  );
}
