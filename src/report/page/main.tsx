// SPDX-License-Identifier: Apache-2.0
// The one script of a report: the page, and the worker that analyses what it shows.
import { render } from 'preact';
import { answer } from './analyst.js';
import { App } from './app.js';
import type { FromWorker, ToWorker } from './messages.js';

/** What a worker's global scope is, as far as it is used here. */
interface WorkerScope {
  onmessage: ((event: { readonly data: ToWorker }) => void) | null;
  postMessage(message: FromWorker): void;
}
declare const self: WorkerScope;

if (typeof document === 'undefined') {
  self.onmessage = ({ data }) => {
    void answer(data, (message) => self.postMessage(message));
  };
} else {
  const script = document.currentScript?.textContent ?? '';
  const data = document.getElementById('kho-data')?.textContent ?? '';
  const place = document.getElementById('kho-report');
  if (place !== null) {
    place.textContent = '';
    render(<App script={script} data={data} />, place);
  }
}
