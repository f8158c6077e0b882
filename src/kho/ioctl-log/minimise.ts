// SPDX-License-Identifier: Apache-2.0
// The shortest log that leaves the same objects behind, so that a replay fits into a blackout.
import { compareStates } from './compare-states.js';
import { type IoctlLog, type LogRecord, logError } from './log.js';
import { isHarmless } from './model.js';
import { replayLog } from './replay.js';
import { stateLog } from './state-log.js';
import type { Outputs } from './verdict.js';

/** A shorter log, proven by replay to end in the same state. */
export interface Minimised {
  readonly log: IoctlLog;
  /** Ioctls of the log that was given. */
  readonly before: number;
  /** Ioctls that are left. */
  readonly after: number;
  /** No log can do with fewer; where it equals `after`, this one is proven to be shortest. */
  readonly atLeast: number;
}

/**
 * Finds the shortest log that ends in the state in which `log` does, up to object ids: calls that leave nothing behind
 * go, IOVAs that the kernel chose are asked for, areas side by side are copied in one call. The new log is replayed and
 * its end state compared with that of the old one before it is given out.
 *
 * @throws LogError INCOMPLETE where a call that may have changed something cannot be replayed
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { minimiseLog, readLog } from 'kho-toolkit/kho';
 *
 * const bytes = readFileSync('fixtures/kernel-7.3.4/vtd-legacy.ioctl-log.jsonl');
 * const { before, after, atLeast } = minimiseLog(readLog(bytes, () => bytes.toString()));
 * console.log(before, after, atLeast);
 * ```
 */
export function minimiseLog(log: IoctlLog): Minimised {
  const original = replayLog(log);
  const [missed] = original.missed;
  if (missed !== undefined)
    throw logError(
      'INCOMPLETE',
      `seq ${missed.seq}`,
      `${missed.call} lacks ${missed.missing}: its effect is not known`,
    );
  const made = stateLog(original.contexts);
  const contradicted = new Set(
    original.differences.flatMap(({ seq, field }) => (field === 'errno' ? [seq] : [])),
  );
  const pruned = log.records.filter((record) => leavesSomething(record, contradicted));
  const atLeast = made?.atLeast ?? 0;
  const candidates = [made?.records ?? pruned, pruned, log.records].sort((a, b) => callsOf(a) - callsOf(b));
  for (const records of candidates) {
    const used = new Set(records.map(({ file }) => file));
    const files = log.files.filter(({ name }) => used.has(name));
    const candidate = withResults({ ...log, files, records: numbered(records), notes: [] });
    const { contexts, missed: lost } = replayLog(candidate);
    if (lost.length > 0 || compareStates(original.contexts, contexts, { addresses: true }).length > 0)
      continue;
    const after = callsOf(candidate.records);
    return { log: candidate, before: original.calls, after, atLeast: Math.min(atLeast, after) };
  }
  // A log whose recorded results the model contradicts may not even come to its own state again.
  return { log, before: original.calls, after: original.calls, atLeast };
}

/** Whether a call may have left something behind: it was not refused, and is not one that only asks. */
function leavesSomething(record: LogRecord, contradicted: ReadonlySet<number>): boolean {
  if (record.kind === 'open' || record.kind === 'close') return true;
  if (record.kind === 'unknown' || isHarmless(record.call) || contradicted.has(record.seq)) return false;
  return (record.errno ?? 0) === 0 || record.call === 'IOAS_UNMAP';
}

function callsOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { kind }) => sum + (kind === 'ioctl' || kind === 'unknown' ? 1 : 0), 0);
}

function numbered(records: readonly LogRecord[]): readonly LogRecord[] {
  return records.map((record, seq) => ({ ...record, seq }));
}

/** The log with the results that the model gives. */
function withResults(log: IoctlLog): IoctlLog {
  const results = new Map<number, { readonly errno: number; readonly out: Outputs }>();
  replayLog(log, { onCall: ({ seq }, errno, outputs) => results.set(seq, { errno, out: outputs }) });
  const records = log.records.map((record): LogRecord => {
    const result = results.get(record.seq);
    return record.kind === 'ioctl' && result !== undefined ? { ...record, ...result } : record;
  });
  return { ...log, records };
}
