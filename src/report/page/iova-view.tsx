// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import type { AreaColumns } from '../../kho/iommu-state.js';
import { count, formatSize } from '../../render/size.js';
import { type ExtentColumns, leafSize, permissionText } from '../../vtd/extents.js';
import type { IovaSpace } from '../iova-spaces.js';
import type { FrameIntervals } from '../memory-lanes.js';
import { Address, type GoTo } from './overview.js';
import { type ChartLane, ScaleChart } from './scale-chart.js';
import { VirtualList } from './virtual-list.js';

const ROW = 24;

/** Address spaces of devices: chart and table of each. */
export function IovaSpaces({
  spaces,
  goTo,
}: {
  readonly spaces: readonly IovaSpace[];
  readonly goTo: GoTo;
}): JSX.Element | null {
  if (spaces.length === 0) return null;
  return (
    <section id="iova" aria-label="I/O address spaces">
      <h2>
        I/O address spaces <small>{spaces.length}</small>
      </h2>
      {spaces.slice(0, 64).map((space, index) => (
        <Space key={index} space={space} goTo={goTo} />
      ))}
      {spaces.length > 64 ? <p class="more">… {spaces.length - 64} more</p> : null}
    </section>
  );
}

function Space({ space, goTo }: { readonly space: IovaSpace; readonly goTo: GoTo }): JSX.Element {
  const {
    title,
    topTable,
    levels,
    width,
    stage,
    devices,
    extents,
    extentCount,
    tables,
    issue,
    areas,
    differences,
  } = space;
  const [go, setGo] = useState<{ readonly start: number; readonly end: number } | undefined>(undefined);
  const [table, setTable] = useState<'mappings' | 'areas' | 'differences'>(
    differences.length > 0 ? 'differences' : extents === undefined ? 'areas' : 'mappings',
  );
  const chart = useMemo(() => chartOf(space), [space]);
  const mapped = formatSize(BigInt(space.mappedFrames) * 4096n);
  const jump = (iova: number, frames: number): void => setGo({ start: iova, end: iova + frames });
  return (
    <article class="space">
      <h3>{title}</h3>
      <p class="how">
        {topTable === undefined ? null : (
          <>
            {stage} stage at <Address at={topTable} goTo={goTo} />
            {levels === undefined ? '' : `, ${levels} levels`}
            {width === undefined ? '' : `, ${width} bits`}
            {extents === undefined
              ? ''
              : `, ${mapped} mapped in ${count(extentCount, 'extent')}, ${count(tables, 'table page')}`}
            {'. '}
          </>
        )}
        {areas === undefined ? '' : `${areas.of}: ${areas.count.toLocaleString('en')} areas. `}
        {devices.length === 0
          ? ''
          : `Devices ${devices.slice(0, 8).join(', ')}${devices.length > 8 ? ` and ${devices.length - 8} more` : ''}.`}
      </p>
      {issue === undefined ? null : <p class="problem">Tables not walked: {issue}.</p>}
      {differences.length > 0 ? (
        <p class="problem">Mappings and areas differ in {count(differences.length, 'place')}.</p>
      ) : null}
      {chart.lanes.length === 0 ? null : (
        <>
          <ScaleChart
            label={`IOVAs of ${title}`}
            lanes={chart.lanes}
            start={chart.start}
            end={chart.end}
            go={go}
            first={chart.clusters[0]}
          >
            <select
              aria-label="zoom to"
              onChange={({ currentTarget }) => {
                const cluster = chart.clusters[Number(currentTarget.value)];
                if (cluster !== undefined) setGo({ ...cluster });
                currentTarget.value = '';
              }}
            >
              <option value="">Zoom to …</option>
              {chart.clusters.map(({ start, end, runs }, index) => (
                <option key={start} value={index}>
                  {hex(start)} – {formatHex((BigInt(Math.ceil(end)) << 12n) - 1n)}, {count(runs, 'run')}
                </option>
              ))}
            </select>
          </ScaleChart>
          <ul class="legend">
            {(['4 KiB', '2 MiB', '1 GiB'] as const).map((size, index) => (
              <li key={size}>
                <span class={`swatch leaf-${index + 1}`} />
                {size} pages
              </li>
            ))}
            <li>
              <span class="swatch half" />
              read only or write only: half as high
            </li>
          </ul>
        </>
      )}
      <div class="tabs" role="tablist" aria-label={`Tables of ${title}`}>
        {extents === undefined ? null : (
          <Tab
            name="mappings"
            chosen={table}
            choose={setTable}
            text={`Mappings ${extentCount.toLocaleString('en')}`}
          />
        )}
        {areas === undefined ? null : (
          <Tab
            name="areas"
            chosen={table}
            choose={setTable}
            text={`Areas ${areas.count.toLocaleString('en')}`}
          />
        )}
        {differences.length === 0 ? null : (
          <Tab
            name="differences"
            chosen={table}
            choose={setTable}
            text={`Differences ${differences.length}`}
          />
        )}
      </div>
      {table === 'mappings' && extents !== undefined ? (
        <Mappings extents={extents} total={extentCount} goTo={goTo} jump={jump} />
      ) : null}
      {table === 'areas' && areas !== undefined ? <Areas areas={areas} jump={jump} /> : null}
      {table === 'differences' ? <Differences differences={differences} jump={jump} /> : null}
    </article>
  );
}

type TableName = 'mappings' | 'areas' | 'differences';

function Tab(props: {
  readonly name: TableName;
  readonly chosen: TableName;
  readonly choose: (name: TableName) => void;
  readonly text: string;
}): JSX.Element {
  const isChosen = props.name === props.chosen;
  return (
    <button type="button" role="tab" aria-selected={isChosen} onClick={() => props.choose(props.name)}>
      {props.text}
    </button>
  );
}

function hex(frame: number): string {
  return formatHex(BigInt(frame) << 12n);
}

function Mappings(props: {
  readonly extents: ExtentColumns;
  readonly total: number;
  readonly goTo: GoTo;
  readonly jump: (iova: number, frames: number) => void;
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
          const iova = iovaFrame[row] ?? 0;
          const size = frames[row] ?? 0;
          const flags = bits[row] ?? 0;
          return (
            <div class="grid-row">
              <button
                type="button"
                class="address"
                title="show in the chart"
                onClick={() => jump(iova, size)}
              >
                {hex(iova)}
              </button>
              <span class="mono">{formatHex(((BigInt(iova) + BigInt(size)) << 12n) - 1n)}</span>
              <span class="number">{formatSize(BigInt(size) << 12n)}</span>
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

function Areas({
  areas,
  jump,
}: {
  readonly areas: AreaColumns;
  readonly jump: (iova: number, frames: number) => void;
}): JSX.Element {
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
            <button
              type="button"
              class="address"
              title="show in the chart"
              onClick={() => jump(Number(start / 4096n), Number(length / 4096n))}
            >
              {formatHex(start)}
            </button>
            <span class="mono">{length === 0n ? 'empty' : formatHex(start + length - 1n)}</span>
            <span class="number">{formatSize(length)}</span>
            <span title={protection}>{protection}</span>
          </div>
        );
      }}
    />
  );
}

function Differences(props: {
  readonly differences: IovaSpace['differences'];
  readonly jump: (iova: number, frames: number) => void;
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
            <button
              type="button"
              class="address"
              title="show in the chart"
              onClick={() => jump(Number(iova / 4096n), Number(length / 4096n))}
            >
              {formatHex(iova)}
            </button>
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

function chartOf({ extents, areas, differences }: IovaSpace): {
  readonly lanes: ChartLane[];
  readonly start: number;
  readonly end: number;
  readonly clusters: readonly Cluster[];
} {
  const lanes: ChartLane[] = [];
  if (areas !== undefined && areas.count > 0) lanes.push(areaLane(areas));
  if (extents !== undefined && extents.length > 0) {
    const { length, iovaFrame, frame, frames, bits } = extents;
    const intervals = {
      starts: iovaFrame.subarray(0, length),
      ends: Float64Array.from({ length }, (_, row) => (iovaFrame[row] ?? 0) + (frames[row] ?? 0)),
    };
    lanes.push({
      title: 'mapped',
      intervals,
      colour: (row) => `--leaf-${(bits[row] ?? 0) >> 12}`,
      share: (row) => (((bits[row] ?? 0) & 3) === 3 ? 1 : 0.5),
      describe: (row) =>
        `${permissionText(bits[row] ?? 0)} to ${hex(frame[row] ?? 0)}, ${formatSize(BigInt(frames[row] ?? 0) << 12n)} in ${formatSize(leafSize(bits[row] ?? 0))} pages`,
    });
  }
  if (differences.length > 0)
    lanes.push({
      title: 'differences',
      intervals: {
        starts: Float64Array.from(differences, ({ iova }) => Number(iova / 4096n)),
        ends: Float64Array.from(differences, ({ iova, length }) => Number((iova + length) / 4096n)),
      },
      colour: () => '--error',
      describe: (row) => differences[row]?.kind ?? '',
    });
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const { intervals } of lanes) {
    start = Math.min(start, intervals.starts[0] ?? start);
    for (const each of intervals.ends) end = Math.max(end, each);
  }
  return { lanes, start: Math.min(start, end), end, clusters: clustersOf(lanes) };
}

/** A stretch of addresses with something in it, and nothing for long around it. */
interface Cluster {
  readonly start: number;
  readonly end: number;
  readonly runs: number;
}

/** 1 GiB, in pages: runs that are closer are looked at together. */
const CLOSE = 2 ** 18;
const CLUSTERS = 40;

/** Where there is something in a space of which most is empty; what has most runs first. */
function clustersOf(lanes: readonly ChartLane[]): Cluster[] {
  const intervals = lanes.find(({ title }) => title === 'mapped')?.intervals ?? lanes[0]?.intervals;
  if (intervals === undefined) return [];
  const { starts, ends } = intervals;
  const clusters: { start: number; end: number; runs: number }[] = [];
  for (let row = 0; row < starts.length; row++) {
    const [start, end] = [starts[row] ?? 0, ends[row] ?? 0];
    const last = clusters.at(-1);
    if (last === undefined || start - last.end > CLOSE) clusters.push({ start, end, runs: 1 });
    else {
      last.end = Math.max(last.end, end);
      last.runs++;
    }
  }
  return clusters.sort((a, b) => b.runs - a.runs).slice(0, CLUSTERS);
}

function areaLane({ starts, lengths, protections, count: total }: AreaColumns): ChartLane {
  const order = Uint32Array.from({ length: total }, (_, row) => row);
  const from = Float64Array.from({ length: total }, (_, row) => Number(starts[row] ?? 0n) / 4096);
  order.sort((a, b) => (from[a] ?? 0) - (from[b] ?? 0));
  const intervals: FrameIntervals = {
    starts: Float64Array.from(order, (row) => from[row] ?? 0),
    ends: Float64Array.from(order, (row) => (from[row] ?? 0) + Number(lengths[row] ?? 0n) / 4096),
  };
  return {
    title: 'areas',
    intervals,
    colour: () => '--c-area',
    share: (row) => (((protections[order[row] ?? 0] ?? 0) & 3) === 3 ? 1 : 0.5),
    describe: (row) => {
      const area = order[row] ?? 0;
      return `${permissionText(protections[area] ?? 0)}, ${formatSize(lengths[area] ?? 0n)}`;
    },
  };
}
