// SPDX-License-Identifier: Apache-2.0
// Runs QEMU until the guest is done, has died, or says nothing any more.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TryError } from './error.js';
import type { GuestEnd, GuestRun } from './guest-end.js';
import type { GuestRam } from './guest-ram.js';

/** A machine to run. */
export interface Machine {
  /** The program. */
  readonly qemu: string;
  readonly ram: GuestRam;
  /** Path of the file that is its memory. */
  readonly ramPath: string;
  /** Path of its firmware. */
  readonly romPath: string;
  /** Folder in which the serial ports are written to files. */
  readonly folder: string;
  /**
   * Seconds of processor time without a word from the guest until it is given up. Ten times as much may pass on the
   * clock, so that a busy machine makes no hang.
   */
  readonly timeout: number;
  /** Ends it before its time. */
  readonly signal: AbortSignal | undefined;
}

const POLL_MS = 40;
/** After a panic some lines follow: registers and stack. */
const AFTERMATH_MS = 300;
const CLOCK_FACTOR = 10;
const MAX_OUTPUT = 64 << 20;
const PANIC = /Kernel panic - not syncing|PANIC: early exception|-- System halted/;
/**
 * A stack as the last word: a kernel that takes an exception before it can handle any dumps registers and stops
 * (arch/x86/mm/extable.c, `early_fixup_exception()`); "PANIC: early exception" goes to the early console of
 * CONFIG_EARLY_PRINTK only. A stack that comes with a warning is followed by a line at once.
 */
const ENDS_IN_STACK = /<\/TASK>\s*$/;
const STACK_SECONDS = 2;
/** Words that may be cut in two between two looks. */
const OVERLAP = 64;
const TICKS_PER_SECOND = 100;

/**
 * Runs a machine until its end.
 *
 * @throws TryError NO_QEMU when there is no such program; EMULATOR when it gives up; the signal's reason
 */
export async function runMachine(machine: Machine): Promise<GuestRun> {
  const started = performance.now();
  const paths = { console: join(machine.folder, 'console'), report: join(machine.folder, 'report') };
  const child = spawn(machine.qemu, qemuArguments(machine, paths), { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (bytes: Buffer) => {
    if (complaint.length < MAX_OUTPUT) complaint += bytes.toString('latin1');
  });
  const exited = new Promise<number | undefined>((resolve, reject) => {
    child.on('error', (error: NodeJS.ErrnoException) => {
      const message = `expected ${machine.qemu}, found ${error.code ?? error.message}: apt install qemu-system-x86`;
      reject(new TryError({ code: 'NO_QEMU', message }, { cause: error }));
    });
    child.on('close', (code) => resolve(code ?? undefined));
  });
  const tails = { console: new Tail(paths.console), report: new Tail(paths.report) };
  try {
    const end = await watch(child, exited, tails, machine);
    const { exitCode, signalCode } = child;
    if (signalCode !== null || (exitCode !== null && exitCode !== 0)) {
      const [line = ''] = complaint.trim().split('\n');
      throw new TryError({ code: 'EMULATOR', message: `QEMU ended with ${signalCode ?? exitCode}: ${line}` });
    }
    const seconds = (performance.now() - started) / 1000;
    return { end, console: tails.console.text, report: tails.report.text, seconds };
  } finally {
    child.kill('SIGKILL');
    tails.console.close();
    tails.report.close();
  }
}

type Tails = { readonly console: Tail; readonly report: Tail };

async function watch(
  child: ChildProcess,
  exited: Promise<number | undefined>,
  { console: printed, report }: Tails,
  { timeout, signal }: Pick<Machine, 'timeout' | 'signal'>,
): Promise<GuestEnd> {
  let over = false;
  const ended = exited.then(() => {
    over = true;
  });
  let heard = { clock: performance.now(), processor: 0 };
  let panicked: number | undefined;
  for (;;) {
    await Promise.race([ended, sleep(POLL_MS)]);
    signal?.throwIfAborted();
    const grown = printed.grow() + report.grow();
    if (over) {
      if (report.has(/^end\r?$/m)) return 'done';
      return panicked !== undefined || printed.has(PANIC) ? 'panic' : 'reset';
    }
    const now = performance.now();
    if (panicked === undefined && printed.has(PANIC)) panicked = now;
    if (panicked !== undefined && now - panicked > AFTERMATH_MS) return 'panic';
    if (printed.text.length + report.text.length > MAX_OUTPUT) return 'flood';
    const processor = processorSeconds(child.pid);
    if (grown > 0) heard = { clock: now, processor: processor ?? 0 };
    const waited = (now - heard.clock) / 1000;
    const used = processor === undefined ? waited : processor - heard.processor;
    const isDead = ENDS_IN_STACK.test(printed.text.slice(-OVERLAP));
    const limit = isDead ? Math.min(timeout, STACK_SECONDS) : timeout;
    if (used > limit || waited > limit * CLOCK_FACTOR) return isDead ? 'panic' : 'silence';
  }
}

function qemuArguments(
  { ram, ramPath, romPath }: Machine,
  paths: Record<'console' | 'report', string>,
): string[] {
  return [
    // Emulation, on every machine: the same kernel does the same thing.
    ...['-accel', 'tcg'],
    ...['-machine', `${ram.machine},memory-backend=ram`],
    ...['-object', `memory-backend-file,id=ram,size=${ram.size},mem-path=${ramPath},share=off`],
    ...['-m', `${ram.size / 2 ** 20}M`],
    // Page tables of five levels would only slow the emulation down.
    ...['-cpu', 'max,la57=off', '-smp', '1'],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
    ...['-bios', romPath],
    ...['-serial', `file:${paths.console}`, '-serial', `file:${paths.report}`],
  ];
}

/** Processor time of a process so far; `undefined` where the system does not say. */
function processorSeconds(pid: number | undefined): number | undefined {
  try {
    // man 5 proc: utime and stime are fields 14 and 15, and the name before may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** The text of a file that grows. */
class Tail {
  readonly #path: string;
  readonly #chunk = Buffer.alloc(1 << 16);
  #descriptor: number | undefined;
  #searched = 0;
  text = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads what is new. @returns how many bytes */
  grow(): number {
    const before = this.text.length;
    try {
      this.#descriptor ??= openSync(this.#path, 'r');
    } catch {
      // QEMU has not made it yet.
      return 0;
    }
    for (;;) {
      const length = readSync(this.#descriptor, this.#chunk, 0, this.#chunk.length, this.text.length);
      if (length === 0) return this.text.length - before;
      this.text += this.#chunk.toString('latin1', 0, length);
    }
  }

  /** Whether what is new since the last look has a match. A match that was seen once is not seen again. */
  has(pattern: RegExp): boolean {
    const from = Math.max(0, this.#searched - OVERLAP);
    this.#searched = this.text.length;
    return pattern.test(this.text.slice(from));
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}
