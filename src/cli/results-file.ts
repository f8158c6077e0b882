// SPDX-License-Identifier: Apache-2.0
// results.jsonl in a folder of cases: a line a case, added as they come, so that whatever ends the run loses none.
import {
  closeSync,
  existsSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { FuzzCase } from '../fuzz/manifest.js';
import type { ProgramEnding } from '../fuzz/outcome.js';
import { isRecord } from '../schemas/lang/input.js';
import { inFile, UsageError } from './failure.js';

const FILE = 'results.jsonl';
const CHUNK = 1 << 16;
const NEWLINE = 0x0a;
/** Longer lines are none of ours. */
const LONGEST_LINE = 1 << 20;

/** What to do with results of the same command: go on where they end, insist that there are some, or begin anew. */
export type ResultsMode = 'auto' | 'resume' | 'fresh';

/** What identifies the results of a run. */
export interface ResultsCommand {
  readonly words: readonly string[];
  /** Over the command, its program, and its limits; hex. */
  readonly hash: string;
  /** What text tells a rule. */
  readonly ruleText: string;
}

/** The results of one command on the cases of a folder. */
export class ResultsFile {
  /** Its path. */
  readonly path: string;
  readonly #known: ReadonlyMap<string, ProgramEnding>;
  readonly #descriptor: number;
  readonly #command: ResultsCommand;

  private constructor(path: string, command: ResultsCommand) {
    this.path = path;
    this.#command = command;
    this.#descriptor = openSync(path, 'a+');
    const { known, end } = readEndings(this.#descriptor, command);
    this.#known = known;
    // What a run that was killed began to write.
    ftruncateSync(this.#descriptor, end);
  }

  /**
   * Opens the results of a command. Those of another one are set aside under a name of their own, and found again when
   * it is its turn.
   *
   * @throws UsageError when `mode` is `resume` and there is nothing to go on with; FileError
   */
  static open(folder: string, command: ResultsCommand, mode: ResultsMode): ResultsFile {
    const path = join(folder, FILE);
    return inFile(path, () => {
      const aside = (hash: string): string => join(folder, `results-${hash}.jsonl`);
      const last = existsSync(path) ? commandHashOf(path) : undefined;
      if (last !== command.hash) {
        if (last !== undefined) renameSync(path, aside(last));
        if (existsSync(aside(command.hash))) renameSync(aside(command.hash), path);
      }
      if (mode === 'fresh') rmSync(path, { force: true });
      const opened = new ResultsFile(path, command);
      if (mode !== 'resume' || opened.#known.size > 0) return opened;
      opened.close();
      throw new UsageError(`--resume: ${folder} has no results of this command`);
    });
  }

  /** How a case ended, where that is known from before: a file that was changed since is another case. */
  known({ file, sha256 }: FuzzCase): ProgramEnding | undefined {
    return this.#known.get(`${sha256} ${file}`);
  }

  /** Adds a result. @param more - what is told of it besides how it ended */
  append({ file, sha256 }: FuzzCase, ending: ProgramEnding, more: Readonly<Record<string, unknown>>): void {
    const { words: command, hash: commandHash, ruleText } = this.#command;
    const { code, signal, timedOut, outOfMemory, report, told } = ending;
    const how = { code, signal, timedOut, outOfMemory, report, told, ruleText };
    const line = { file, sha256, ...more, ...how, command, commandHash };
    inFile(this.path, () => writeSync(this.#descriptor, `${JSON.stringify(line)}\n`));
  }

  /** Ends the writing. */
  close(): void {
    closeSync(this.#descriptor);
  }
}

/** The command that the results in a file are of; `unknown` when no line says. */
function commandHashOf(path: string): string {
  const descriptor = openSync(path, 'r');
  try {
    for (const { text } of linesOf(descriptor)) {
      const hash = recordIn(text)?.['commandHash'];
      if (typeof hash === 'string' && /^[0-9a-f]{1,64}$/.test(hash)) return hash;
    }
    return 'unknown';
  } finally {
    closeSync(descriptor);
  }
}

/** How cases ended, and where the last whole line does. */
function readEndings(
  descriptor: number,
  { hash, ruleText }: ResultsCommand,
): { known: Map<string, ProgramEnding>; end: number } {
  const known = new Map<string, ProgramEnding>();
  let end = 0;
  for (const { text, end: lineEnd } of linesOf(descriptor)) {
    end = lineEnd;
    const record = recordIn(text);
    if (record === undefined || record['commandHash'] !== hash) continue;
    const { file, sha256, code, signal, timedOut, outOfMemory, report, told } = record;
    known.set(`${sha256} ${file}`, {
      code: typeof code === 'number' ? code : undefined,
      signal: typeof signal === 'string' ? signal : undefined,
      timedOut: timedOut === true,
      outOfMemory: outOfMemory === true,
      report: typeof report === 'string' ? report : undefined,
      told: Array.isArray(told) && record['ruleText'] === ruleText ? told.map(String) : undefined,
    });
  }
  return { known, end };
}

function recordIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** The lines that end, each with where it does; what is longer than a line can be counts as empty. */
function* linesOf(descriptor: number): Generator<{ readonly text: string; readonly end: number }> {
  const chunk = Buffer.alloc(CHUNK);
  let parts: Buffer[] = [];
  let length = 0;
  for (let at = 0; ; ) {
    const count = readSync(descriptor, chunk, 0, CHUNK, at);
    if (count === 0) return;
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0 && to < count; to = chunk.indexOf(NEWLINE, from)) {
      parts.push(chunk.subarray(from, to));
      yield { text: length < LONGEST_LINE ? Buffer.concat(parts).toString('utf8') : '', end: at + to + 1 };
      parts = [];
      length = 0;
      from = to + 1;
    }
    length += count - from;
    if (length < LONGEST_LINE) parts.push(Buffer.from(chunk.subarray(from, count)));
    at += count;
  }
}
