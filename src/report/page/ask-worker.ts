// SPDX-License-Identifier: Apache-2.0
import { answer } from './analyst.js';
import type { FromWorker, ToWorker } from './messages.js';

/**
 * Has a request done by a worker that runs this page's own script; by the page itself where a browser has no workers for
 * pages from files.
 */
export function askWorker(
  script: string,
  request: ToWorker,
  tell: (message: FromWorker) => void,
): () => void {
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  try {
    const worker = new Worker(url);
    let hasSpoken = false;
    const end = (): void => {
      worker.terminate();
      URL.revokeObjectURL(url);
    };
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      hasSpoken = true;
      tell(data);
      if (data.kind === 'done' || data.kind === 'failed') end();
    };
    worker.onerror = ({ message }) => {
      end();
      if (hasSpoken) tell({ kind: 'failed', message: `unexpected: ${message}` });
      else void answer(request, tell);
    };
    worker.postMessage(request);
    return end;
  } catch {
    void answer(request, tell);
    return () => {};
  }
}
