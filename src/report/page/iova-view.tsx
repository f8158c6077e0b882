// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { count, formatSize } from '../../render/size.js';
import type { IovaSpace } from '../iova-spaces.js';
import { chartOf } from './iova-lanes.js';
import { Areas, Differences, Mappings } from './iova-tables.js';
import { Address, type GoTo } from './overview.js';
import { ScaleChart } from './scale-chart.js';

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
                  {formatHex(BigInt(start) << 12n)} – {formatHex((BigInt(Math.ceil(end)) << 12n) - 1n)},{' '}
                  {count(runs, 'run')}
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
