// SPDX-License-Identifier: Apache-2.0
import { fstatSync } from 'node:fs';

/** Major device number of /dev/null, /dev/zero and their like on Linux. */
const MEMORY_DEVICES = 1;

/**
 * True when `descriptor` is a terminal. node:tty brings the network stack with it, a tenth of the time that a short
 * command takes: it is loaded only where the answer may be yes.
 */
export function isTerminal(descriptor: number): boolean {
  try {
    const found = fstatSync(descriptor);
    if (!found.isCharacterDevice() || found.rdev >> 8 === MEMORY_DEVICES) return false;
  } catch {
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}

const DEFAULT_WIDTH = 80;

/** Columns that stdout shows in a line: COLUMNS, else those of the terminal, else 80. */
export function outputWidth(environment: Readonly<Record<string, string | undefined>>): number {
  const asked = Number(environment['COLUMNS']);
  if (Number.isInteger(asked) && asked > 0) return asked;
  return (isTerminal(1) && process.stdout.columns) || DEFAULT_WIDTH;
}
