// SPDX-License-Identifier: Apache-2.0
// Programs run on cases: with limits, in a process group of their own, and what they print kept within bounds.
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { CrashReportScanner } from '../fuzz/crash-report.js';
import type { ProgramEnding } from '../fuzz/outcome.js';
import { ToldNames } from '../fuzz/told-names.js';
import { argumentsFor, type GivenCase, type ProgramLine } from './program-line.js';

/** Bytes kept of the start and of the end of what a program prints on stdout, and on stderr. */
const KEPT = 2048;
/** How long a process that left the program's group may keep its output open. */
const LINGER_MS = 100;

/** What a program may take. */
export interface ProgramLimits {
  readonly seconds: number;
  /** MiB, `undefined` for no limit. */
  readonly memory: number | undefined;
}

/** Which names to look for in what a program prints, and what text tells one of them. */
export interface NamesSought {
  readonly names: readonly string[];
  readonly text: string;
}

/** How a program ended, how long it took, and what it printed. */
export interface ProgramRun extends ProgramEnding {
  readonly milliseconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one program again and again, and can end all that is running. */
export class ProgramRunner {
  readonly #line: ProgramLine;
  readonly #limits: ProgramLimits;
  readonly #running = new Set<ChildProcess>();
  readonly #shell: string;
  readonly #environment: NodeJS.ProcessEnv;

  constructor(line: ProgramLine, limits: ProgramLimits) {
    this.#line = line;
    this.#limits = limits;
    const { memory, seconds } = limits;
    // Thousands of core files help nobody; and a program in a loop ends by itself when nobody is left to end it.
    const processor = (Math.ceil(seconds) + 10) * availableParallelism();
    const space = memory === undefined || line.sanitized ? '' : `ulimit -v ${Math.ceil(memory * 1024)} && `;
    this.#shell = `ulimit -c 0; ulimit -t ${processor}; ${space}exec "$@"`;
    this.#environment = line.sanitized && memory !== undefined ? sanitizerLimits(memory) : process.env;
  }

  /** How the memory limit is kept. */
  get memoryLimit(): string {
    const { memory } = this.#limits;
    if (memory === undefined) return 'no memory limit';
    const how = this.#line.sanitized ? 'hard_rss_limit_mb of the sanitizer' : 'address space, ulimit -v';
    return `memory limit ${memory} MiB (${how})`;
  }

  /**
   * Runs the program on a case. Rejects with what the operating system says when it cannot be started.
   *
   * @param sought - rules and codes to look for in what it prints
   */
  run(given: GivenCase, { names, text }: NamesSought): Promise<ProgramRun> {
    return new Promise((done, fail) => {
      const start = performance.now();
      const child = spawn(
        '/bin/sh',
        ['-c', this.#shell, 'sh', this.#line.program, ...argumentsFor(this.#line, given)],
        { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: this.#environment },
      );
      this.#running.add(child);
      const scanner = [new CrashReportScanner(), new CrashReportScanner()] as const;
      const kept = [new KeptOutput(), new KeptOutput()] as const;
      const told = [new ToldNames(names, text), new ToldNames(names, text)] as const;
      [child.stdout, child.stderr].forEach((stream, index) => {
        stream.on('data', (chunk: Buffer) => {
          kept[index]?.push(chunk);
          const piece = chunk.toString('latin1');
          scanner[index]?.push(piece);
          told[index]?.push(piece);
        });
      });
      let timedOut = false;
      const timer = setTimeout(() => {
        timedOut = true;
        killGroup(child);
      }, this.#limits.seconds * 1000);
      let milliseconds = 0;
      child.on('error', (error) => {
        clearTimeout(timer);
        this.#running.delete(child);
        fail(error);
      });
      child.on('exit', () => {
        clearTimeout(timer);
        milliseconds = performance.now() - start;
        // Whoever is left of the group is ended; whoever left the group and holds the output open is not waited for.
        killGroup(child);
        const linger = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, LINGER_MS);
        child.on('close', () => clearTimeout(linger));
      });
      child.on('close', (code, signal) => {
        this.#running.delete(child);
        for (const each of [...scanner, ...told]) each.end();
        const [out, err] = scanner;
        done({
          code: code ?? undefined,
          signal: signal ?? undefined,
          timedOut,
          outOfMemory: this.#limits.memory !== undefined && (err.outOfMemory || out.outOfMemory),
          report: err.report ?? out.report,
          told: names.filter((name) => told.some(({ found }) => found.has(name))),
          milliseconds,
          stdout: kept[0].text(),
          stderr: kept[1].text(),
        });
      });
    });
  }

  /** Ends all that is running, with the processes it started. */
  kill(): void {
    for (const child of this.#running) killGroup(child);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

/** Sanitizers reserve more address space than any limit, but watch what is really used. */
function sanitizerLimits(memory: number): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of ['ASAN_OPTIONS', 'MSAN_OPTIONS', 'TSAN_OPTIONS']) {
    const given = environment[name];
    environment[name] =
      `${given === undefined || given === '' ? '' : `${given}:`}hard_rss_limit_mb=${Math.ceil(memory)}`;
  }
  return environment;
}

/** The first and last bytes of an output of any length. */
class KeptOutput {
  #head: Buffer = Buffer.alloc(0);
  #tail: Buffer = Buffer.alloc(0);
  #length = 0;

  push(chunk: Buffer): void {
    this.#length += chunk.length;
    const room = KEPT - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, room)]);
    const rest = chunk.subarray(Math.max(0, room));
    if (rest.length > 0) this.#tail = Buffer.from(Buffer.concat([this.#tail, rest]).subarray(-KEPT));
  }

  text(): string {
    const lost = this.#length - this.#head.length - this.#tail.length;
    const middle = lost > 0 ? `\n[${lost} bytes left out]\n` : '';
    return `${this.#head.toString('utf8')}${middle}${this.#tail.toString('utf8')}`;
  }
}
