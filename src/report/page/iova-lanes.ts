// SPDX-License-Identifier: Apache-2.0
// What the chart of an address space shows.
import { formatHex } from '../../bytes/hex.js';
import type { AreaColumns } from '../../kho/iommu-state.js';
import { formatSize } from '../../render/size.js';
import { leafSize, permissionText } from '../../vtd/extents.js';
import type { IovaSpace } from '../iova-spaces.js';
import type { FrameIntervals } from '../memory-lanes.js';
import type { ChartLane } from './chart-lane.js';

/** Lanes of areas, mappings and differences, and where there is something to see in them. */
export function chartOf({ extents, areas, differences }: IovaSpace): {
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
        `${permissionText(bits[row] ?? 0)} to ${formatHex(BigInt(frame[row] ?? 0) << 12n)}, ${formatSize(BigInt(frames[row] ?? 0) << 12n)} in ${formatSize(leafSize(bits[row] ?? 0))} pages`,
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
