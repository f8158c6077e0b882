// SPDX-License-Identifier: Apache-2.0
// Lists of an address space: each row leads to its place in the chart.
import type { JSX } from 'preact';
import { formatHex } from '../../bytes/hex.js';
import type { AreaColumns } from '../../kho/iommu-state.js';
import { formatSize } from '../../render/size.js';
import { type ExtentColumns, leafSize, permissionText } from '../../vtd/extents.js';
import type { IovaSpace } from '../iova-spaces.js';
import { Address, type GoTo } from './overview.js';
import { VirtualList } from './virtual-list.js';

const ROW = 24;

/** Zooms the chart to a first page frame and a number of them. */
type JumpTo = (iova: number, frames: number) => void;

/** An address that the chart shows when it is clicked. */
function Jump({
  iova,
  length,
  jump,
}: {
  readonly iova: bigint;
  readonly length: bigint;
  readonly jump: JumpTo;
}): JSX.Element {
  return (
    <button
      type="button"
      class="address"
      title="show in the chart"
      onClick={() => jump(Number(iova / 4096n), Number(length / 4096n))}
    >
      {formatHex(iova)}
    </button>
  );
}

/** What the tables map. */
export function Mappings(props: {
  readonly extents: ExtentColumns;
  readonly total: number;
  readonly goTo: GoTo;
  readonly jump: JumpTo;
}): JSX.Element {
  const { extents, total, goTo, jump } = props;
  const { length, iovaFrame, frame, frames, bits } = extents;
  return (
    <>
      <VirtualList
        class="grid mappings"
        role="list"
        label="Mappings"
        count={length}
        rowHeight={ROW}
        head={
          <div class="grid-head">
            <span>IOVA</span>
            <span>up to</span>
            <span class="number">size</span>
            <span>physical</span>
            <span>pages</span>
            <span>may</span>
          </div>
        }
        row={(row) => {
          const iova = BigInt(iovaFrame[row] ?? 0) << 12n;
          const size = BigInt(frames[row] ?? 0) << 12n;
          const flags = bits[row] ?? 0;
          return (
            <div class="grid-row">
              <Jump iova={iova} length={size} jump={jump} />
              <span class="mono">{formatHex(iova + size - 1n)}</span>
              <span class="number">{formatSize(size)}</span>
              <Address at={BigInt(frame[row] ?? 0) << 12n} goTo={goTo} />
              <span>{formatSize(leafSize(flags))}</span>
              <Permission bits={flags} />
            </div>
          );
        }}
      />
      {total > length ? (
        <p class="more">… {(total - length).toLocaleString('en')} more extents are not in this page</p>
      ) : null}
    </>
  );
}

function Permission({ bits }: { readonly bits: number }): JSX.Element {
  const text = permissionText(bits);
  const words = [bits & 1 ? 'read' : '', bits & 2 ? 'write' : ''].filter((each) => each !== '').join(' and ');
  return (
    <span class={`mono perm p-${text.replace(/-/g, '')}`} title={words || 'nothing'}>
      {text}
    </span>
  );
}

const PROTECTION = ['read', 'write', 'cache', 'noexec', 'mmio', 'priv'] as const;

/** What the objects say. */
export function Areas({ areas, jump }: { readonly areas: AreaColumns; readonly jump: JumpTo }): JSX.Element {
  const { count: total, names, starts, lengths, protections } = areas;
  return (
    <VirtualList
      class="grid areas"
      role="list"
      label="Areas"
      count={total}
      rowHeight={ROW}
      head={
        <div class="grid-head">
          <span>area</span>
          <span>IOVA</span>
          <span>up to</span>
          <span class="number">size</span>
          <span>protection</span>
        </div>
      }
      row={(row) => {
        const start = starts[row] ?? 0n;
        const length = lengths[row] ?? 0n;
        const flags = protections[row] ?? 0;
        const protection = PROTECTION.filter((_, bit) => (flags >> bit) & 1).join(' ') || 'none';
        return (
          <div class="grid-row">
            <span class="mono">{names[row]}</span>
            <Jump iova={start} length={length} jump={jump} />
            <span class="mono">{length === 0n ? 'empty' : formatHex(start + length - 1n)}</span>
            <span class="number">{formatSize(length)}</span>
            <span title={protection}>{protection}</span>
          </div>
        );
      }}
    />
  );
}

/** Where the two differ. */
export function Differences(props: {
  readonly differences: IovaSpace['differences'];
  readonly jump: JumpTo;
}): JSX.Element {
  const { differences, jump } = props;
  return (
    <VirtualList
      class="grid differences"
      role="list"
      label="Differences"
      count={differences.length}
      rowHeight={ROW}
      head={
        <div class="grid-head">
          <span>IOVA</span>
          <span class="number">size</span>
          <span>what differs</span>
        </div>
      }
      row={(row) => {
        const each = differences[row];
        if (each === undefined) return <div />;
        const { kind, iova, length, phys, expectedPhys, expected, found } = each;
        const words = {
          unmapped: 'the area says mapped, no table maps it',
          outside: `mapped to ${formatHex(phys ?? 0n)}, in no area`,
          permission: `area ${permissionText(expected)}, tables ${permissionText(found)}`,
          repointed: `mapped to ${formatHex(phys ?? 0n)}, expected ${formatHex(expectedPhys ?? 0n)}`,
        }[kind];
        return (
          <div class="grid-row">
            <Jump iova={iova} length={length} jump={jump} />
            <span class="number">{formatSize(length)}</span>
            <span title={`${kind}: ${words}`}>
              {kind}: {words}
            </span>
          </div>
        );
      }}
    />
  );
}
