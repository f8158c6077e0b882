// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Does work that leaves something behind when the program is simply ended: programs that are running, or what it has
 * found so far.
 *
 * @param stop - called when a signal comes
 * @param work - may ask whether one has come
 * @returns the signal that came, if one did
 */
export async function whileInterruptible(
  stop: () => void,
  work: (isInterrupted: () => boolean) => Promise<void>,
): Promise<NodeJS.Signals | undefined> {
  let signal: NodeJS.Signals | undefined;
  const interrupt = (name: NodeJS.Signals): void => {
    signal = name;
    stop();
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    await work(() => signal !== undefined);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
  return signal;
}

/** What a program exits with that was ended by a signal, as shells count: 130 for SIGINT. */
export function exitCodeOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}
