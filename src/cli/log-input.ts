// SPDX-License-Identifier: Apache-2.0
import type { IoctlLog } from '../kho/ioctl-log/log.js';
import { readLog } from '../kho/ioctl-log/read-log.js';
import { inFile } from './failure.js';
import { readInput } from './input.js';

/**
 * Reads an ioctl log in whatever form it has, or stdin for `-`.
 *
 * @throws FileError for what is no log
 */
export function readLogInput(file: string): IoctlLog {
  const bytes = readInput(file);
  return inFile(file, () => readLog(bytes, () => new TextDecoder().decode(bytes)));
}
