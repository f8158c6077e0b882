// SPDX-License-Identifier: Apache-2.0
// Ioctl logs in all their forms: read, written in our own two forms and read again, replayed, made short. An input is
// the bytes of a log.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KhoError } from '../../../src/bytes/issue.js';
import {
  compareStates,
  decodeLogBlob,
  encodeLogBlob,
  formatLogLines,
  type IoctlLog,
  logFormOf,
  minimiseLog,
  parseLogLines,
  readLog,
  replayLog,
} from '../../../src/kho/ioctl-log/index.js';
import { fixturePaths, fixturesFolder } from '../../fixtures.js';
import type { FuzzTarget, Mutator } from '../target.js';
import { textWords, wordOf } from '../words.js';

const NEWLINE = 0x0a;
/** Lines of a captured log that are enough to begin with. */
const FIRST_LINES = 24;

/** See `FuzzTarget`. */
export const ioctlLogTarget: FuzzTarget = {
  name: 'ioctl-log',
  maxLength: 16_384,
  seeds,
  words: [
    ...textWords(
      '"call":"IOAS_MAP"',
      '"call":"IOAS_UNMAP"',
      '"call":"IOAS_COPY"',
      '"call":"HWPT_ALLOC"',
      '"call":"close"',
    ),
    ...textWords(
      '"errno":"EINVAL"',
      '"errno":0',
      '"out":{',
      '"args":{',
      '"buffer":[',
      '"memory":',
      '"target":',
    ),
    ...textWords(
      '0xffffffffffffffff',
      '0x1000',
      'ioctl(',
      ', 0x3b',
      ') = 0',
      ') = -1 EINVAL',
      'openat(',
      '</dev/iommu>',
    ),
    ...[1, 2, 8, 0x3b85, 0xffff].map((value) => wordOf(value, 'big')),
    ...[1, 2, 8, 0x3b85, 0xffff].map((value) => wordOf(value, 'little')),
  ],
  mutators: [
    // Lines go, come twice, or change places.
    changingLines((lines, random) => lines.splice(random.below(lines.length), 1 + random.below(3))),
    changingLines((lines, random) => lines.splice(random.below(lines.length), 0, random.pick(lines))),
    changingLines((lines, random) => lines.push(...lines.splice(random.below(lines.length), 1))),
    // Another number of as many digits: ids and addresses meet others.
    (input, random) => {
      const digits = [...input.entries()].filter(([, byte]) => byte >= 0x30 && byte <= 0x39);
      if (digits.length === 0) return undefined;
      const copy = input.slice();
      copy[random.pick(digits)[0]] = 0x30 + random.below(10);
      return copy;
    },
  ],
  run,
};

function changingLines(change: (lines: Uint8Array[], random: Parameters<Mutator>[1]) => unknown): Mutator {
  return (input, random) => {
    const lines: Uint8Array[] = [];
    for (let at = 0; at < input.length; ) {
      const end = input.indexOf(NEWLINE, at);
      const next = end < 0 ? input.length : end + 1;
      lines.push(input.subarray(at, next));
      at = next;
    }
    if (lines.length < 2) return undefined;
    change(lines, random);
    return new Uint8Array(Buffer.concat(lines));
  };
}

function seeds(): Uint8Array[] {
  const captured = fixturePaths('.ioctl-log.jsonl').map((path) => readFileSync(path, 'utf8').split('\n'));
  const logs = captured.map((lines) => lines.slice(0, FIRST_LINES).join('\n'));
  const texts = ['bpftrace.txt', 'strace-f-y.txt', 'strace-f.txt', 'strace-raw.txt'].map((name) =>
    readFileSync(join(fixturesFolder, 'ioctl-log', name), 'utf8'),
  );
  const blobs = [...logs, ...texts].map((text) => encodeLogBlob(readLog(bytesOf(text), () => text)));
  return [...logs.map(bytesOf), ...texts.map(bytesOf), ...blobs];
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function linesOf(log: IoctlLog): string {
  return [...formatLogLines(log)].join('\n');
}

/**
 * Without notes, of which blobs have none; memories, which a blob declares when a record speaks of them; and facts of
 * devices, which a blob tells all of when it tells one.
 */
function keptByBlobs(log: IoctlLog): string {
  const files = log.files.map(({ name, kind, path }) => ({ name, kind, path }));
  return linesOf({ ...log, files, notes: [], memories: [] });
}

/** What a reader or writer may refuse, but not in any other way. */
function orRefused<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof KhoError) return undefined;
    throw error;
  }
}

function run(input: Uint8Array): string {
  const text = (): string => new TextDecoder().decode(input);
  let log: IoctlLog;
  try {
    log = readLog(input, text);
  } catch (error) {
    if (error instanceof KhoError) return error.code;
    throw error;
  }
  const form = logFormOf(input, text);
  const lines = linesOf(log);
  if (linesOf(parseLogLines(lines)) !== lines) throw new Error('a log that JSON Lines do not keep');
  const blob = orRefused(() => encodeLogBlob(log));
  if (blob !== undefined && keptByBlobs(decodeLogBlob(blob)) !== keptByBlobs(log))
    throw new Error('a log that a blob does not keep');
  const replayed = replayLog(log);
  const shorter = orRefused(() => minimiseLog(log));
  if (shorter !== undefined) {
    if (shorter.after > shorter.before) throw new Error('a log that was made longer');
    const { contexts } = replayLog(shorter.log);
    const [difference] = compareStates(replayed.contexts, contexts);
    if (difference !== undefined) throw new Error('a log that was made short and leaves other objects');
  }
  const told = replayed.differences.length + replayed.missed.length === 0 ? 'clean' : 'findings';
  return `${form} ${told}${shorter === undefined ? '' : ' shortened'}`;
}
