// SPDX-License-Identifier: Apache-2.0
import { FDT_MAGIC } from '../../fdt/header.js';
import { decodeLogBlob } from './blob.js';
import { importBpftrace, looksLikeBpftrace } from './import-bpftrace.js';
import { importStrace, looksLikeStrace } from './import-strace.js';
import { looksLikeLogLines, parseLogLines } from './json-lines.js';
import { type IoctlLog, logError } from './log.js';

/** The forms that a log can have. */
export type LogForm = 'jsonl' | 'blob' | 'bpftrace' | 'strace';

/** What form bytes have; `text` is them as UTF-8. `undefined` where they have none. */
export function logFormOf(bytes: Uint8Array, text: () => string): LogForm | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length >= 4 && view.getUint32(0) === FDT_MAGIC) return 'blob';
  const found = text();
  if (looksLikeLogLines(found)) return 'jsonl';
  if (looksLikeBpftrace(found)) return 'bpftrace';
  return looksLikeStrace(found) ? 'strace' : undefined;
}

/**
 * Reads a log in whatever form it has.
 *
 * @param text - the bytes as UTF-8
 * @throws LogError, FdtError and SchemaError as the readers of the forms do; LogError BAD_LINE for none of them
 */
export function readLog(bytes: Uint8Array, text: () => string): IoctlLog {
  switch (logFormOf(bytes, text)) {
    case 'blob':
      return decodeLogBlob(bytes);
    case 'jsonl':
      return parseLogLines(text());
    case 'bpftrace':
      return importBpftrace(text());
    case 'strace':
      return importStrace(text());
    default:
      throw logError(
        'BAD_LINE',
        'line 1',
        'no ioctl log: neither JSON Lines, a blob, nor text of bpftrace or strace',
      );
  }
}
