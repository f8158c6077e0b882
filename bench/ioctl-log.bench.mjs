// SPDX-License-Identifier: Apache-2.0
// Replay of ioctl logs at 100,000, 300,000 and 1,000,000 calls: time has to grow like n log n. Half of the calls map, most
// of them where the kernel chooses, the others unmap at random, so that holes of all sizes come and go. Run
// `npm run build` first (npm run bench does).
import { ioctlRecord, minimiseLog, replayLog } from '../dist/kho/index.js';
import { fastest, Report } from './measure.mjs';

const report = new Report('ioctl-log');
const PAGE = 4096n;

/** A seeded source of random numbers. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A log of so many calls; `chosen` says how many of 100 maps leave the IOVA to the kernel. */
function makeLog(calls, chosen) {
  const next = random(1);
  const records = [];
  const push = (call, args) => {
    records.push(ioctlRecord(call, { seq: records.length, thread: 1, file: 'f' }, args, {}));
  };
  push('IOAS_ALLOC', { size: 12, flags: 0, out_ioas_id: 0 });
  const live = [];
  let fixed = 1n << 40n;
  while (records.length < calls) {
    if (next(100) < 60 || live.length === 0) {
      const isChosen = next(100) < chosen;
      const length = BigInt(1 + next(16)) * PAGE;
      const iova = isChosen ? 0n : fixed;
      if (!isChosen) {
        live.push({ iova, length });
        fixed += length + PAGE * BigInt(next(3));
      }
      const user_va = BigInt(1 + next(1 << 28)) * PAGE;
      push('IOAS_MAP', { size: 40, flags: isChosen ? 6 : 7, ioas_id: 1, user_va, length, iova });
    } else {
      const index = next(live.length);
      const { iova, length } = live[index];
      live[index] = live.at(-1);
      live.pop();
      push('IOAS_UNMAP', { size: 24, ioas_id: 1, iova, length });
    }
  }
  return { files: [{ name: 'f', kind: 'iommufd' }], memories: [], records, notes: [] };
}

report.heading('ourselves at 1x, 3x, 10x');
const perStep = [];
for (const [what, chosen] of [
  ['IOVAs asked for', 0],
  ['half of IOVAs chosen by the kernel', 50],
]) {
  let first;
  for (const calls of [100_000, 300_000, 1_000_000]) {
    const log = makeLog(calls, chosen);
    const { ms, result } = fastest(1, () => replayLog(log));
    if (result.calls !== calls || result.missed.length > 0) throw new Error('calls were not replayed');
    const cost = (ms * 1e6) / (calls * Math.log2(calls));
    first ??= cost;
    perStep.push(cost / first);
    const note = `${((ms * 1e3) / calls).toFixed(2)} us a call; ${(cost / first).toFixed(2)}x of n log n`;
    report.add({ what: `replay, ${calls.toLocaleString('en')} calls, ${what}`, ours: ms, note });
  }
}
const log = makeLog(100_000, 50);
const { ms, result } = fastest(1, () => minimiseLog(log));
report.add({
  what: 'minimise, 100,000 calls',
  ours: ms,
  note: `${result.before} -> ${result.after} calls, proven by replay`,
});
report.save();
