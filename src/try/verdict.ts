// SPDX-License-Identifier: Apache-2.0
// What a kernel made of a handover, from what should have come back and what the guest said.
import { escapeText, quoteName } from '../bytes/printable.js';
import type { KernelVerdict, VerdictLoss, VerdictLossKind, VerdictOutcome } from '../kho/kernel-verdict.js';
import { errnoName } from './errno.js';
import type { Expected, ExpectedFile } from './expected.js';
import type { GuestRun } from './guest-end.js';
import { type FileAnswer, type GuestReport, readReport, type SessionAnswer } from './report.js';

const ENOENT = 2;

/** Judges a boot. */
export function judge(expected: Expected, run: GuestRun): KernelVerdict {
  const report = readReport(run.report);
  const log = consoleLines(run.console);
  const files = expected.sessions.reduce((sum, session) => sum + session.files.length, 0);
  const base = {
    lastWords: [],
    subtrees: [...report.blobs.keys()].filter((name) => name !== 'fdt').map(escapeText),
    remarks: log.filter((line) => REMARKABLE.test(line)).slice(0, MAX_REMARKS),
    release: report.release === undefined ? undefined : escapeText(report.release),
    seconds: run.seconds,
  };
  const nothing = {
    ...base,
    silent: false,
    losses: [],
    sessions: { expected: expected.sessions.length, restored: 0 },
    files: { expected: files, restored: 0 },
    regions: { expected: expected.regions.length, restored: 0 },
  };
  // An oops may leave a kernel that says nothing more.
  const isDead = run.end === 'panic' || run.end === 'reset' || log.some((line) => DEADLY.test(line));
  if (run.end !== 'done' && isDead)
    return { ...nothing, outcome: 'panic', lastWords: lastWords(log, run.end) };
  if (run.end !== 'done') return { ...nothing, outcome: 'hang', lastWords: log.slice(-3) };
  if (!report.blobs.has('fdt') && !log.some((line) => REVIVED.test(line)))
    return { ...nothing, outcome: 'ignored' };
  const losses = [...lostSessions(expected, report), ...lostRegions(expected, report, log)];
  const broken = new Set(losses.map(({ what }) => what));
  const isWhole = (what: string): boolean => !broken.has(what);
  return {
    ...base,
    outcome: outcomeOf(losses),
    silent: losses.length > 0 && losses.every(({ silent }) => silent),
    losses,
    sessions: {
      expected: expected.sessions.length,
      restored: report.sessions.filter(({ error }) => error === 0).length,
    },
    files: {
      expected: files,
      restored: expected.sessions.reduce(
        (sum, { name, files: own }, index) =>
          sum +
          own.filter(
            (file, place) =>
              report.sessions[index]?.files[place]?.error === 0 && isWhole(fileName(name, file)),
          ).length,
        0,
      ),
    },
    regions: {
      expected: expected.regions.length,
      restored: expected.regions.filter(({ name }) => isWhole(regionName(name))).length,
    },
  };
}

const REVIVED = /KHO: found kexec handover data|Will skip init for some devices/;
const REMARKABLE =
  /\bKHO\b|\bkho\b|LUO|luo_|liveupdate|handover|reserve_mem|Revived|memblock:|WARNING:|BUG:|Oops|Call Trace/i;
const MAX_REMARKS = 40;

/** What a kernel printed, line by line, made safe to show. */
function consoleLines(text: string): string[] {
  return text
    .split('\n')
    .map((line) => escapeText(line.replace(/\r/g, '').replace(/^\[ *[\d.]+\] /, '')))
    .filter((line) => line !== '');
}

const DEADLY = /BUG: |Oops:|general protection/;
const DYING =
  /BUG: |Oops:|general protection|PANIC: early exception|Kernel panic - not syncing|kernel BUG at|RIP: 0010|System halted/;

function lastWords(log: readonly string[], end: GuestRun['end']): readonly string[] {
  const words = [...new Set(log.filter((line) => DYING.test(line)))].slice(0, 4);
  if (words.length > 0) return words;
  return end === 'reset' ? ['it started again without a word'] : log.slice(-2);
}

function outcomeOf(losses: readonly VerdictLoss[]): VerdictOutcome {
  const has = (...kinds: readonly VerdictLossKind[]): boolean =>
    losses.some(({ kind }) => kinds.includes(kind));
  if (has('sessions', 'session')) return 'sessions-lost';
  if (has('file', 'finish', 'region')) return 'restored-with-errors';
  return has('content', 'extra') ? 'content-differs' : 'complete';
}

/** How a session is called. */
function sessionName(name: string): string {
  return `session "${quoteName(name)}"`;
}

/** How a file is called. */
function fileName(session: string, { token }: ExpectedFile): string {
  return `${sessionName(session)}, file 0x${token.toString(16)}`;
}

function regionName(name: string): string {
  return `reserve_mem "${quoteName(name)}"`;
}

function* lostSessions({ sessions }: Expected, report: GuestReport): Generator<VerdictLoss> {
  const { deviceError } = report;
  if (deviceError !== 0) {
    if (sessions.length === 0) return;
    const found = deviceError === undefined ? 'no answer' : errnoName(deviceError);
    yield {
      kind: 'sessions',
      what: 'all sessions',
      message: `opening /dev/liveupdate: ${found}`,
      silent: false,
    };
    return;
  }
  for (const [index, { name, files }] of sessions.entries()) {
    const answer = report.sessions[index];
    const what = sessionName(name);
    if (answer === undefined || answer.error !== 0) {
      const error = answer === undefined ? 'no answer' : errnoName(answer.error);
      yield { kind: 'session', what, message: `retrieving it: ${error}`, silent: answer?.error === ENOENT };
      continue;
    }
    for (const [place, file] of files.entries())
      yield* lostFile(fileName(name, file), file, answer.files[place]);
    if (answer.finishError !== 0) yield unfinished(what, answer);
  }
  if (report.namelessError === 0 && !sessions.some(({ name }) => name === ''))
    yield {
      kind: 'extra',
      what: 'session ""',
      message: 'expected none without a name, found one',
      silent: true,
    };
}

function unfinished(what: string, { finishError }: SessionAnswer): VerdictLoss {
  const found = finishError === undefined ? 'no answer' : errnoName(finishError);
  return { kind: 'finish', what, message: `finishing it: ${found}`, silent: false };
}

/** What init says in place of the hash of a file that is larger than memory. */
const UNREAD = '-';

function* lostFile(
  what: string,
  expected: ExpectedFile,
  found: FileAnswer | undefined,
): Generator<VerdictLoss> {
  if (found === undefined || found.error !== 0) {
    const error = found === undefined ? 'no answer' : errnoName(found.error);
    yield { kind: 'file', what, message: `retrieving it: ${error}`, silent: false };
    return;
  }
  const differs = (name: string, wanted: string | undefined, is: string | undefined): VerdictLoss[] =>
    wanted === undefined || wanted === is
      ? []
      : [
          {
            kind: 'content',
            what,
            message: `expected ${name} ${wanted}, found ${is === undefined ? 'none' : escapeText(is)}`,
            silent: true,
          },
        ];
  yield* differs('size', expected.size?.toString(), found.size?.toString());
  yield* differs('seals', seals(expected.seals), seals(found.seals));
  yield* differs('position', expected.position?.toString(), found.position?.toString());
  // Larger than init reads: what is wrong with it is told by its size.
  if (found.sha256 === UNREAD) return;
  if (found.readError !== undefined && found.readError !== 0)
    yield { kind: 'file', what, message: `reading it: ${errnoName(found.readError)}`, silent: false };
  else yield* differs('SHA-256', expected.sha256, found.sha256);
}

function seals(bits: number | undefined): string | undefined {
  return bits === undefined ? undefined : `0x${bits.toString(16)}`;
}

function* lostRegions(
  { regions }: Expected,
  report: GuestReport,
  log: readonly string[],
): Generator<VerdictLoss> {
  for (const [index, { name, sha256 }] of regions.entries()) {
    const what = regionName(name);
    const found = report.regions[index];
    if (!isRevived(log, name))
      yield { kind: 'region', what, message: 'the kernel does not say that it took it over', silent: true };
    else if (found?.error === 0 && sha256 !== undefined && found.sha256 !== sha256) {
      const message = `expected SHA-256 ${sha256}, found ${escapeText(found.sha256 ?? 'none')}`;
      yield { kind: 'content', what, message, silent: true };
    }
  }
}

/** Whether the kernel said that it took over a region (mm/memblock.c, `reserve_mem_kho_revive()`). */
function isRevived(log: readonly string[], name: string): boolean {
  return log.some((line) => /reviv/i.test(line) && line.includes(quoteName(name)));
}
