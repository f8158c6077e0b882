// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { OpenImageOptions, PhysicalMemory } from '../image/index.js';
import {
  joinWalks,
  splitWalk,
  type TableRoot,
  type WalkOptions,
  type WalkRange,
  type WalkResult,
  walkTable,
} from '../vtd/index.js';

/** A part of a walk as a thread is told of it. */
export interface WalkTask {
  readonly file: string;
  readonly image: OpenImageOptions;
  readonly root: TableRoot;
  readonly options: WalkOptions;
  /** Where the result goes; `undefined` when the walk failed. */
  readonly port: MessagePort;
  /** Set to 1 when it has gone there. */
  readonly done: Int32Array<SharedArrayBuffer>;
}

/** An image that threads can open for themselves. */
export interface ThreadImage {
  readonly file: string;
  readonly options: OpenImageOptions;
  readonly memory: PhysicalMemory;
}

/**
 * Milliseconds that a thread may take longer than this one before its part is walked here, too; at least as long as this
 * one took.
 */
const PATIENCE = 10_000;

/**
 * The same as `walkTable`, by several threads, this one included. All extents are held until every thread is done. Tables
 * that are reached more than once are walked again here, by one.
 *
 * @throws WalkError, ImageError as `walkTable`
 */
export function walkInThreads(
  image: ThreadImage,
  root: TableRoot,
  options: WalkOptions,
  threads: number,
): WalkResult {
  const { widthBits, hostBits, maxFindings, maxRepeats, progress, only } = options;
  // What is left out is not worth a thread.
  const ranges = only === undefined ? splitWalk(image.memory, root, threads) : [];
  const [own, ...others] = ranges;
  if (own === undefined || others.length === 0) return walkTable(image.memory, root, options);
  const part = { widthBits, hostBits, maxRepeats, maxFindings: Math.max(100, maxFindings ?? 1000) };
  const running = others.map((range) => start(image, root, { ...part, only: range }));
  const begun = performance.now();
  const first = walkTable(image.memory, root, { ...part, only: own, progress });
  const patience = Math.max(PATIENCE, performance.now() - begun);
  const rest = running.map((each) => resultOf(each, patience) ?? walkTable(image.memory, root, each.options));
  return joinWalks(ranges, [first, ...rest], options) ?? walkTable(image.memory, root, options);
}

interface Running {
  readonly worker: Worker;
  readonly port: MessagePort;
  readonly done: Int32Array<SharedArrayBuffer>;
  readonly options: WalkOptions & { readonly only: WalkRange };
}

function start(image: ThreadImage, root: TableRoot, options: Running['options']): Running {
  const { port1, port2 } = new MessageChannel();
  const done = new Int32Array(new SharedArrayBuffer(4));
  const workerData: WalkTask = { file: image.file, image: image.options, root, options, port: port2, done };
  const worker = new Worker(join(import.meta.dirname, 'walk-worker.js'), {
    workerData,
    transferList: [port2],
  });
  // A thread that cannot start is one that does not answer.
  worker.on('error', () => undefined);
  worker.unref();
  return { worker, port: port1, done, options };
}

/** Waits for a thread; `undefined` when it has nothing to say. */
function resultOf({ worker, port, done }: Running, patience: number): WalkResult | undefined {
  Atomics.wait(done, 0, 0, patience);
  const message: { message: WalkResult | undefined } | undefined = receiveMessageOnPort(port);
  port.close();
  void worker.terminate();
  return message?.message;
}
