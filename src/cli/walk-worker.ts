// SPDX-License-Identifier: Apache-2.0
// The thread that walks one part of a table: opens the image again and sends back what it finds.
import { workerData } from 'node:worker_threads';
import { openImage } from '../image/index.js';
import { type WalkResult, walkTable } from '../vtd/index.js';
import type { WalkTask } from './walk-threads.js';

function answer({ port, done }: WalkTask, result: WalkResult | undefined): void {
  const columns = result?.extents;
  const buffers = [columns?.iovaFrame, columns?.frame, columns?.frames, columns?.bits].flatMap((column) =>
    column?.buffer instanceof ArrayBuffer ? [column.buffer] : [],
  );
  port.postMessage(plain(result), buffers);
  Atomics.store(done, 0, 1);
  Atomics.notify(done, 0);
}

/** The result without methods, which cannot be sent. */
function plain(result: WalkResult | undefined): WalkResult | undefined {
  if (result === undefined) return undefined;
  const { length, iovaFrame, frame, frames, bits } = result.extents;
  return { ...result, extents: { length, iovaFrame, frame, frames, bits } };
}

function run(task: WalkTask): void {
  try {
    const image = openImage(task.file, task.image);
    answer(task, walkTable(image, task.root, task.options));
    image.close();
  } catch {
    // Whoever asked walks this part, too, and meets with the same.
    answer(task, undefined);
  }
}

const task: WalkTask = workerData;
run(task);
