// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { addressIn } from '../../schemas/lang/memory.js';
import type { ObjectFields } from '../object-fields.js';
import type { Field, ShownObject } from '../shown-object.js';
import { plainText } from '../text-run.js';
import type { TreePlace } from '../tree-node.js';
import { VirtualList } from './virtual-list.js';

const ROW = 22;
const WIDTH = 16;

const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const LETTERS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·',
);

/** What the view of bytes needs. */
export interface HexViewProps {
  readonly object: ShownObject;
  readonly fields: ObjectFields;
  readonly selected: TreePlace | undefined;
  readonly hovered: TreePlace | undefined;
  /** Brings this byte into sight when the object is another than before. */
  readonly show: { readonly offset: number } | undefined;
  readonly onHover: (place: TreePlace | undefined) => void;
  readonly onSelect: (place: TreePlace) => void;
}

/** Bytes sixteen a row, each in the colour of its field. */
export function HexView(props: HexViewProps): JSX.Element {
  const { object, fields, selected, hovered, show, onHover, onSelect } = props;
  const { bytes } = object;
  const [scroll, setScroll] = useState<{ readonly index: number } | undefined>(undefined);
  useEffect(() => {
    if (show !== undefined) setScroll({ index: Math.floor(show.offset / WIDTH) });
  }, [show]);
  const placeAt = (event: MouseEvent): TreePlace | undefined => {
    const { target } = event;
    if (!(target instanceof HTMLElement)) return undefined;
    const { at, length } = target.dataset;
    if (at === undefined || length === undefined) return undefined;
    // A run of bytes is one element: which of them it is tells the position in it.
    const { left, width } = target.getBoundingClientRect();
    const within = Math.floor(((event.clientX - left) / width) * Number(length));
    const offset = Number(at) + Math.max(0, Math.min(Number(length) - 1, within));
    const field = fields.at(offset);
    return { object, offset: field?.offset ?? offset, length: field?.length ?? 1 };
  };
  const move = (by: number): void => {
    const from = selected?.object === object ? selected.offset : 0;
    // By fields, not by bytes: the next field, or the one a row away.
    const length = selected?.object === object && by === 1 ? selected.length : by;
    const offset = Math.max(0, Math.min(bytes.length - 1, from + (by === 1 ? length : by)));
    const field = fields.at(offset);
    onSelect({ object, offset: field?.offset ?? offset, length: field?.length ?? 1 });
    setScroll({ index: Math.floor((field?.offset ?? offset) / WIDTH) });
  };
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowLeft: -1,
    ArrowDown: WIDTH,
    ArrowUp: -WIDTH,
    PageDown: WIDTH * 16,
    PageUp: -WIDTH * 16,
    Home: -bytes.length,
    End: bytes.length,
  };
  const digits = Math.max(4, addressText(object, bytes.length).length);
  return (
    <VirtualList
      class="hex"
      role="list"
      label={`Bytes of ${object.path || object.what}`}
      count={Math.ceil(bytes.length / WIDTH)}
      rowHeight={ROW}
      show={scroll}
      printed={64}
      handlers={{
        onMouseMove: (event) => {
          const place = placeAt(event);
          const isNew = place?.object !== hovered?.object || place?.offset !== hovered?.offset;
          if (place !== undefined && isNew) onHover(place);
        },
        onMouseLeave: () => onHover(undefined),
        onClick: (event) => {
          const place = placeAt(event);
          if (place !== undefined) onSelect(place);
        },
        onKeyDown: (event) => {
          const by = steps[event.key];
          if (by === undefined) return;
          event.preventDefault();
          move(by);
        },
      }}
      row={(index) => (
        <HexRow
          object={object}
          fields={fields}
          from={index * WIDTH}
          digits={digits}
          selected={selected?.object === object ? selected : undefined}
          hovered={hovered?.object === object ? hovered : undefined}
        />
      )}
    />
  );
}

function addressText(object: ShownObject, offset: number): string {
  return formatHex(addressIn(object, offset) ?? offset);
}

const notes = new WeakMap<Field, string>();

/** Name and value of a field on one line: the last part of its path, which the row's place makes clear. */
function noteOf(field: Field): string {
  const known = notes.get(field);
  if (known !== undefined) return known;
  const note = `${field.path.replace(/^\/.*\/(?=[^/])/s, '')} ${plainText(field.value())}`;
  notes.set(field, note);
  return note;
}

interface HexRowProps {
  readonly object: ShownObject;
  readonly fields: ObjectFields;
  readonly from: number;
  readonly digits: number;
  readonly selected: TreePlace | undefined;
  readonly hovered: TreePlace | undefined;
}

function HexRow({ object, fields, from, digits, selected, hovered }: HexRowProps): JSX.Element {
  const { bytes } = object;
  const to = Math.min(bytes.length, from + WIDTH);
  const inRow = fields.between(from, to);
  const starting = inRow.filter(({ offset, kind }) => offset >= from && kind !== 'padding');
  const named = starting.find(({ kind }) => kind !== 'container') ?? starting[0];
  const hex: JSX.Element[] = [];
  const letters: JSX.Element[] = [];
  let next = 0;
  let open = '';
  let start = from;
  const end = (at: number): void => {
    if (at === start) return;
    const part = { class: open, 'data-at': start, 'data-length': at - start };
    const held = Array.from(bytes.subarray(start, at));
    hex.push(
      <span key={start - from} {...part}>
        {held.map((byte) => BYTES[byte]).join(' ')}
      </span>,
    );
    letters.push(
      <span key={start - from} {...part}>
        {held.map((byte) => LETTERS[byte]).join('')}
      </span>,
    );
    start = at;
  };
  for (let at = from; at < to; at++) {
    while (next < inRow.length && (inRow[next]?.offset ?? 0) + (inRow[next]?.length ?? 0) <= at) next++;
    const field = inRow[next];
    const isIn = field !== undefined && field.offset <= at;
    const classes = [isIn ? `f-${field.kind}` : 'f-none'];
    if (holds(selected, at)) classes.push('sel');
    if (holds(hovered, at)) classes.push('hov');
    const name = classes.join(' ');
    if (name !== open || (isIn && field.offset === at)) {
      end(at);
      open = name;
    }
  }
  end(to);
  const note = named === undefined ? '' : noteOf(named);
  return (
    <div class="hex-row">
      <span class="offset">{addressText(object, from).padStart(digits)}</span>
      <span class="bytes">{hex}</span>
      <span class="letters">{letters}</span>
      <span class="names" title={starting.map(({ path }) => path).join(', ')}>
        {note}
        {starting.length > 1 ? <span class="more"> +{starting.length - 1}</span> : null}
      </span>
    </div>
  );
}

function holds(place: TreePlace | undefined, at: number): boolean {
  return place !== undefined && at >= place.offset && at < place.offset + place.length;
}
