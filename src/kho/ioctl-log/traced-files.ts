// SPDX-License-Identifier: Apache-2.0
// Descriptors of a trace, and the files that they are: numbers are used again, names of a log are not.
import type { LogFile } from './log.js';

/** The files of a trace as they come and go. */
export class TracedFiles {
  readonly files: LogFile[] = [];
  readonly #open = new Map<string, LogFile>();
  /** How often a name was given. */
  readonly #names = new Map<string, number>();

  /** The file behind a descriptor; one that was opened before the trace began becomes known now. */
  at(descriptor: string, kind: LogFile['kind'], path?: string): LogFile {
    const known = this.#open.get(descriptor);
    if (known !== undefined && known.kind === kind) return known;
    return this.open(descriptor, kind, path);
  }

  /** The file behind a descriptor, if it is one that was seen. */
  find(descriptor: string): LogFile | undefined {
    return this.#open.get(descriptor);
  }

  /** A descriptor was opened. */
  open(descriptor: string, kind: LogFile['kind'], path: string | undefined): LogFile {
    const short = kind === 'iommufd' ? 'iommufd' : (path?.replace(/^.*\//s, '') ?? 'device');
    const times = (this.#names.get(short) ?? 0) + 1;
    this.#names.set(short, times);
    const name = times === 1 ? short : `${short}#${times}`;
    const file: LogFile = { name, kind, path };
    this.files.push(file);
    this.#open.set(descriptor, file);
    return file;
  }

  /** A descriptor was closed. @returns the file that it was */
  close(descriptor: string): LogFile | undefined {
    const file = this.#open.get(descriptor);
    this.#open.delete(descriptor);
    return file;
  }
}

/** What a path of a trace is; `undefined` for files that logs are not about. */
export function kindOfPath(path: string): LogFile['kind'] | undefined {
  if (path === '/dev/iommu') return 'iommufd';
  return path.startsWith('/dev/vfio/devices/') ? 'device' : undefined;
}
