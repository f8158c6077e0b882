// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../../bytes/printable.js';
import { encodeLogBlob } from '../../kho/ioctl-log/blob.js';
import { diffLogs } from '../../kho/ioctl-log/diff.js';
import { formatLogLines } from '../../kho/ioctl-log/format-lines.js';
import type { IoctlLog } from '../../kho/ioctl-log/log.js';
import { minimiseLog } from '../../kho/ioctl-log/minimise.js';
import { type Replayed, replayLog } from '../../kho/ioctl-log/replay.js';
import { replayJson, stateDifferenceJson } from '../../render/ioctl-log-json.js';
import {
  logSummary,
  writeCalls,
  writeReplayFindings,
  writeState,
  writeStateDifferences,
} from '../../render/ioctl-log-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { count } from '../../render/size.js';
import { writeJsonValue } from '../../render/value-json.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { requireOneStdin } from '../input.js';
import { readLogInput } from '../log-input.js';
import { isSameFile, replaceFile } from '../output-file.js';

const ACTIONS = ['convert', 'show', 'replay', 'minimise', 'diff'] as const;

/** `kho log`. */
export const log: Command = defineCommand({
  details: [
    'Reads what bpftrace (docs/recording/iommufd.bt) or strace recorded of the ioctls of iommufds, JSON Lines, or the blob that is handed over. replay applies the calls to a model of iommufd and tells results that a kernel would not have given; minimise leaves out calls until no more can go without changing the objects at the end. kho verify holds these objects against page tables. docs/ioctl-log.md has the forms.',
  ],
  examples: [
    ['log convert trace.txt -o vmm.jsonl', 'what bpftrace or strace recorded, as JSON Lines'],
    ['log convert vmm.jsonl --to blob -o vmm.dtb', 'the form that is handed over'],
    ['log show vmm.jsonl', 'every call on a line'],
    ['log replay vmm.jsonl', 'the objects at the end, and results that a kernel would not have given'],
    ['log minimise vmm.jsonl -o short.jsonl', 'the fewest calls that leave the same objects'],
    ['log diff before.jsonl after.jsonl', 'whether both leave the same objects, or where not'],
  ],
  exitCodes:
    '0 done, same, or all results as recorded; 1 differences, or calls that cannot be replayed; 2 not readable or wrong usage',
  positionals: {
    action: { choices: ACTIONS, demandOption: true, describe: 'what to do' },
    file: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'log: JSON Lines, blob, or text of iommufd.bt or strace; diff takes two',
    },
  },
  options: {
    to: { choices: ['jsonl', 'blob'], default: 'jsonl', describe: 'convert, minimise: the form to write' },
    out: { alias: 'o', type: 'string', describe: 'convert, minimise: write here; default stdout' },
    json: { type: 'boolean', default: false, describe: 'replay, diff: print JSON' },
    force: { type: 'boolean', default: false, describe: 'binary even to a terminal' },
  },
  run: ({ action, file: files, to, out, json, force }, io) => {
    const [file, second, ...more] = files;
    if (file === undefined || more.length > 0 || (second !== undefined) !== (action === 'diff'))
      throw new UsageError(`kho log ${action} takes ${action === 'diff' ? 'two logs' : 'one log'}`);
    const writes = action === 'convert' || action === 'minimise';
    if (!writes && (out !== undefined || to !== 'jsonl'))
      throw new UsageError('--out and --to go with kho log convert and minimise');
    if (json && action !== 'replay' && action !== 'diff')
      throw new UsageError('--json goes with kho log replay and diff');
    if (second !== undefined) {
      requireOneStdin(file, second);
      return showDiff(file, second, json, io);
    }
    if (writes) {
      if (out !== undefined && isSameFile(out, file))
        throw new UsageError(`${out} is the log; it is not overwritten`);
      if (to === 'blob' && (out === undefined || out === '-') && io.isTerminal && !force)
        throw new UsageError('a blob is binary and does not go to a terminal; use -o FILE or --force');
    }
    const read = readLogInput(file);
    for (const text of read.notes) io.stderr.write(`kho: ${escapeText(`${file}: ${text}`)}\n`);
    switch (action) {
      case 'convert':
        return write(read, to, out, io);
      case 'minimise':
        return minimise(file, read, to, out, io);
      case 'show':
        writeCalls(io.stdout.write, read.records, io.paint);
        return EXIT.ok;
      default:
        return showReplay(file, read, json, io);
    }
  },
});

function write(given: IoctlLog, to: string, out: string | undefined, io: Io): number {
  if (out === undefined || out === '-') {
    if (to === 'blob') io.stdout.writeBytes(inFile('-', () => encodeLogBlob(given)));
    else for (const line of formatLogLines(given)) io.stdout.write(`${line}\n`);
    return EXIT.ok;
  }
  inFile(out, () => {
    if (to === 'blob') replaceFile(out, encodeLogBlob(given));
    else replaceFile(out, new TextEncoder().encode([...formatLogLines(given), ''].join('\n')));
  });
  return EXIT.ok;
}

function minimise(file: string, given: IoctlLog, to: string, out: string | undefined, io: Io): number {
  const { log: shorter, before, after, atLeast } = inFile(file, () => minimiseLog(given));
  const proof = after === atLeast ? 'no log can do with fewer' : `at least ${atLeast} are needed`;
  io.stderr.write(
    `kho: ${escapeText(file)}: ${count(before, 'call')} -> ${after}; replayed to the same state; ${proof}\n`,
  );
  return write(shorter, to, out, io);
}

function isClean({ differences, missed }: Replayed): boolean {
  return missed.length === 0 && differences.every(({ environment }) => environment);
}

function showReplay(file: string, given: IoctlLog, json: boolean, io: Io): number {
  const replayed = replayLog(given);
  const out = io.stdout.write;
  if (json) {
    const document = {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'log-replay',
      file,
      ...replayJson(replayed),
    };
    writeJsonValue(out, document, '');
    out('\n');
  } else {
    out(`${io.paint('title', escapeText(file))}  ${logSummary(given.files.length, replayed)}\n\n`);
    writeState(out, replayed.contexts, io.paint);
    const { differences, missed } = replayed;
    if (differences.length + missed.length > 0) {
      out(
        `\n${count(differences.length, 'result')} not as the model says, ${count(missed.length, 'call')} not replayed\n`,
      );
      writeReplayFindings(out, replayed, io.paint);
    }
  }
  return isClean(replayed) ? EXIT.ok : EXIT.findings;
}

function showDiff(left: string, right: string, json: boolean, io: Io): number {
  const found = diffLogs(readLogInput(left), readLogInput(right));
  const { differences } = found;
  const out = io.stdout.write;
  const missed = [found.left, found.right].some((side) => side.missed.length > 0);
  if (json) {
    const document = {
      schemaVersion: JSON_SCHEMA_VERSION,
      kind: 'log-diff',
      left: { file: left, ...replayJson(found.left) },
      right: { file: right, ...replayJson(found.right) },
      differences: differences.map(stateDifferenceJson),
    };
    writeJsonValue(out, document, '');
    out('\n');
  } else {
    out(`--- ${escapeText(left)}\n+++ ${escapeText(right)}\n`);
    writeStateDifferences(out, differences, io.paint);
    if (differences.length === 0) out('the same objects, up to ids\n');
    if (missed) io.stderr.write('kho: calls that could not be replayed are left out: see kho log replay\n');
  }
  return differences.length === 0 && !missed ? EXIT.ok : EXIT.findings;
}
