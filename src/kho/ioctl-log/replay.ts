// SPDX-License-Identifier: Apache-2.0
// Replays a log on the model, and compares call by call what was recorded with what the model says.
import { ioctlNumbered } from '../../schemas/abi/iommufd-ioctls.js';
import { rangesOf } from './call-bytes.js';
import { ERRNO } from './errno.js';
import type { AddressRange, IoctlLog, IoctlRecord } from './log.js';
import { IommufdModel, isHarmless } from './model.js';
import type { Context } from './objects.js';
import type { Outputs } from './verdict.js';

/** A call whose recorded result is not what the model says. */
export interface CallDifference {
  readonly seq: number;
  readonly file: string;
  readonly call: string;
  /** `errno`, `ranges`, or the field that came back. */
  readonly field: string;
  readonly recorded: bigint | readonly AddressRange[];
  readonly replayed: bigint | readonly AddressRange[];
  /**
   * Whether the recorded refusal can come from what a log does not show: memory that is not there, limits, signals,
   * timing. The replay then follows the recording, and nothing is wrong.
   */
  readonly environment: boolean;
}

/** A call that could not be replayed. */
export interface MissedCall {
  readonly seq: number;
  readonly file: string;
  readonly call: string;
  /** What the log lacks, in words. */
  readonly missing: string;
}

/** What a replay leaves behind. */
export interface Replayed {
  /** The iommufds that exist at the end. */
  readonly contexts: readonly Context[];
  /** How many ioctls the log has. */
  readonly calls: number;
  readonly differences: readonly CallDifference[];
  /** Calls that may have changed something and were passed over; the state is certain only up to the first. */
  readonly missed: readonly MissedCall[];
}

/** Options of a replay. */
export interface ReplayOptions {
  /** Told each ioctl with what the model makes of it; not those that it cannot judge. */
  readonly onCall?: (record: IoctlRecord, errno: number, outputs: Outputs) => void;
}

/** Refusals that can come from outside of what a log shows. */
const OUTSIDE: ReadonlySet<number> = new Set([
  ERRNO.EFAULT,
  ERRNO.ENOMEM,
  ERRNO.EINTR,
  ERRNO.EAGAIN,
  ERRNO.EPERM,
  ERRNO.EACCES,
  ERRNO.EBADF,
  ERRNO.EIO,
  ERRNO.EMFILE,
  ERRNO.EBUSY,
  ERRNO.ETIMEDOUT,
]);
/** Restarts of interrupted calls that tracers see and user space does not. */
const FIRST_RESTART = 512;
const LAST_RESTART = 516;

function isOutside(errno: number): boolean {
  return OUTSIDE.has(errno) || (errno >= FIRST_RESTART && errno <= LAST_RESTART);
}

/**
 * Replays a log from an empty machine: the iommufds and objects that exist at its end, and every call whose recorded
 * result is not what Linux 7.3.4 would have said. Where the two disagree the recording is followed as far as that is
 * possible: a call that failed changes nothing, an IOVA that the kernel chose otherwise is taken.
 * Time is linear-logarithmic in the number of calls.
 *
 * @example
 * ```ts
 * import { readFileSync } from 'node:fs';
 * import { readLog, replayLog } from 'kho-toolkit/kho';
 *
 * const bytes = readFileSync('fixtures/kernel-7.3.4/vtd-legacy.ioctl-log.jsonl');
 * const { contexts, differences } = replayLog(readLog(bytes, () => bytes.toString()));
 * console.log(contexts.length, differences.length);
 * ```
 */
export function replayLog(log: IoctlLog, options: ReplayOptions = {}): Replayed {
  const model = new IommufdModel(log.files);
  const differences: CallDifference[] = [];
  const missed: MissedCall[] = [];
  let calls = 0;
  for (const record of log.records) {
    switch (record.kind) {
      case 'open':
        model.open(record.file);
        break;
      case 'close':
        model.close(record.file);
        break;
      case 'unknown': {
        calls++;
        const { seq, file, cmd, errno } = record;
        const call = ioctlNumbered(cmd) ?? `0x${cmd.toString(16)}`;
        if (errno === undefined || errno === 0)
          missed.push({ seq, file, call, missing: 'what this ioctl is' });
        break;
      }
      case 'ioctl':
        calls++;
        replayCall(model, record, differences, missed, options);
        break;
    }
  }
  return { contexts: model.contexts, calls, differences, missed };
}

function replayCall(
  model: IommufdModel,
  record: IoctlRecord,
  differences: CallDifference[],
  missed: MissedCall[],
  { onCall }: ReplayOptions,
): void {
  const { seq, file, call, errno: recorded, out } = record;
  const verdict = model.judge(record);
  if ('missing' in verdict) {
    const changesNothing =
      isHarmless(call) || (recorded !== undefined && recorded !== 0 && call !== 'IOAS_UNMAP');
    if (!changesNothing) missed.push({ seq, file, call, missing: verdict.missing });
    return;
  }
  if (recorded !== undefined && recorded !== verdict.errno) {
    const about = { seq, file, call, field: 'errno' };
    const environment = verdict.errno === 0 && isOutside(recorded);
    differences.push({ ...about, recorded: BigInt(recorded), replayed: BigInt(verdict.errno), environment });
    return;
  }
  const outputs = verdict.commit(out);
  onCall?.(record, verdict.errno, outputs);
  for (const [field, replayed] of Object.entries(outputs)) {
    const found = out?.[field];
    if (found !== undefined && found !== replayed)
      differences.push({ seq, file, call, field, recorded: found, replayed, environment: false });
  }
  const { ranges } = verdict;
  if (ranges === undefined || record.buffer === undefined || recorded !== 0) return;
  const found = rangesOf(record.buffer).slice(0, Number(out?.['num_iovas'] ?? ranges.length));
  const isSame =
    found.length === ranges.length &&
    found.every(({ start, last }, index) => start === ranges[index]?.start && last === ranges[index]?.last);
  if (!isSame)
    differences.push({
      seq,
      file,
      call,
      field: 'ranges',
      recorded: found,
      replayed: ranges,
      environment: false,
    });
}
