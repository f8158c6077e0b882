// SPDX-License-Identifier: Apache-2.0
import { escapeText } from '../bytes/printable.js';
import type { KernelVerdict, VerdictCount, VerdictOutcome } from '../kho/kernel-verdict.js';
import type { Paint, Role } from './paint.js';
import { writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

const OUTCOMES: Readonly<Record<VerdictOutcome, readonly [Role, string]>> = {
  complete: ['added', 'complete'],
  'content-differs': ['error', 'content differs'],
  'restored-with-errors': ['removed', 'restored with errors'],
  'sessions-lost': ['error', 'sessions lost'],
  ignored: ['error', 'ignored: a plain boot'],
  panic: ['error', 'PANIC'],
  hang: ['error', 'hang'],
};

/** A verdict in words: `sessions lost in silence`. */
export function outcomeWords({ outcome, silent }: Pick<KernelVerdict, 'outcome' | 'silent'>): string {
  return `${OUTCOMES[outcome][1]}${silent ? ' in silence' : ''}`;
}

/** The colour of a verdict. */
export function outcomeRole(outcome: VerdictOutcome): Role {
  return OUTCOMES[outcome][0];
}

/** Losses that are shown one by one. */
const SHOWN = 20;

/** What else there is to say about a boot. */
export interface TriedBoot {
  /** Which memory the kernel booted in. */
  readonly scratch: 'handover' | 'free-memory';
  /** What was told by whoever asked: the image's file, the kernel's file. */
  readonly image: string;
  readonly kernel: string;
}

/** Writes what a kernel made of a handover, for people. */
export function writeTried(out: TextSink, boot: TriedBoot, verdict: KernelVerdict, paint: Paint): void {
  const { release, lastWords, losses, subtrees, seconds } = verdict;
  const name = release === undefined ? escapeText(boot.kernel) : `Linux ${release}`;
  const words = paint(outcomeRole(verdict.outcome), outcomeWords(verdict));
  out(`${paint('title', `${escapeText(boot.image)} -> ${name}`)}  ${words}\n\n`);
  for (const line of lastWords) out(`  ${paint('error', line)}\n`);
  if (lastWords.length === 0) {
    const parts = [
      counted(verdict.sessions, 'session'),
      counted(verdict.files, 'file'),
      counted(verdict.regions, 'reserve_mem region'),
    ];
    out(`  came back: ${parts.join(', ')}\n`);
    if (subtrees.length > 0) out(`  ${paint('note', `subtrees found: ${subtrees.join(', ')}`)}\n`);
  }
  for (const { what, message, silent } of losses.slice(0, SHOWN))
    out(`  ${paint('removed', what)}: ${message}${silent ? ' (no error)' : ''}\n`);
  if (losses.length > SHOWN) out(`  and ${losses.length - SHOWN} more\n`);
  if (boot.scratch === 'free-memory')
    out(`  ${paint('note', 'scratch is not known or has no room: booted in memory that nobody has')}\n`);
  out(
    `  ${paint('note', `${seconds.toFixed(1)} s; LUO lists no sessions: only those named here were asked for`)}\n`,
  );
}

function counted({ restored, expected }: VerdictCount, noun: string): string {
  return `${restored} of ${expected} ${noun}${expected === 1 ? '' : 's'}`;
}

/** Writes one image against many kernels, a line each. */
export function writeKernelMatrix(
  out: TextSink,
  image: string,
  tried: readonly { readonly kernel: string; readonly verdict: KernelVerdict }[],
  paint: Paint,
): void {
  const head = [escapeText(image), 'kernel', 'sessions', 'files', 'reserve_mem', 'what became of it'];
  const rows = tried.map(({ kernel, verdict }) => [
    { text: kernel, role: 'title' as const },
    { text: verdict.release ?? '?', role: 'node' as const },
    ...[verdict.sessions, verdict.files, verdict.regions].map(({ restored, expected }) => ({
      text: `${restored} of ${expected}`,
      role: 'number' as const,
    })),
    { text: outcomeWords(verdict), role: outcomeRole(verdict.outcome) },
  ]);
  writeTable(out, [head.map((text) => ({ text, role: 'title' as const })), ...rows], paint, '');
}
