// SPDX-License-Identifier: Apache-2.0
// The memory of a real handover: the trimmed core of Linux 7.3.4 (see ../fixtures), and what independent eyes saw.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../src/image/index.js';
import type { Memory } from '../../src/schemas/lang/memory.js';

const folders = [process.env['KHO_CAPTURES'], join(import.meta.dirname, '..', '..', '..', 'shared', 'fixtures')];

/** The folder of the capture, or `undefined` (and a line on stderr) where it is not to be found. */
export const captureFolder: string | undefined = folders
  .filter((folder) => folder !== undefined)
  .map((folder) => join(folder, 'kernel-7.3.4', 'kho-luo'))
  .find((folder) => existsSync(join(folder, 'handover.trimmed.elf')));
