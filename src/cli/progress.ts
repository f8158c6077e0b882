// SPDX-License-Identifier: Apache-2.0
import { writeSync } from 'node:fs';
import { isTerminal } from './terminal.js';

const STDERR = 2;
/** Work that is done sooner shows no progress at all. */
const PATIENCE_MS = 500;
const INTERVAL_MS = 100;
const CLEAR_LINE = '\r\x1b[K';

/** Shows how far long work has got. */
export interface Progress {
  update(done: number, total: number): void;
  /** For work of unknown length: how much is done, `12345 table pages`. */
  note(done: number, things: string): void;
  /** Anything else, safe to show; put together only when it is shown. */
  tell(text: () => string): void;
  /** Takes the line away again. */
  end(): void;
}

/**
 * Progress on stderr as one line that is rewritten, where stderr is a terminal; elsewhere silence.
 *
 * @param what - what is being done: `looking through guest.raw`, safe to show
 */
export function startProgress(what: string): Progress {
  const nothing = (): undefined => undefined;
  if (!isTerminal(STDERR)) return { update: nothing, note: nothing, tell: nothing, end: nothing };
  let next = performance.now() + PATIENCE_MS;
  let shown = false;
  const show = (text: () => string): void => {
    const now = performance.now();
    if (now < next) return;
    next = now + INTERVAL_MS;
    shown = true;
    writeSync(STDERR, `${CLEAR_LINE}${what}: ${text()}`);
  };
  return {
    update: (done, total) => show(() => `${Math.floor((100 * done) / Math.max(1, total))} %`),
    note: (done, things) => show(() => `${done} ${things}`),
    tell: show,
    end: () => {
      if (shown) writeSync(STDERR, CLEAR_LINE);
    },
  };
}
