// SPDX-License-Identifier: Apache-2.0
// What the guest's init says (tools/try-init/init.c), read from the second serial port.

/** What became of a file. */
export interface FileAnswer {
  /** errno of LIVEUPDATE_SESSION_RETRIEVE_FD; 0 when it came back, and only then there is the rest. */
  readonly error: number;
  readonly size?: bigint;
  readonly seals?: number;
  readonly position?: bigint;
  /** errno of reading it; 0 when all of it could be read. */
  readonly readError?: number;
  readonly sha256?: string;
}

/** What became of a session. */
export interface SessionAnswer {
  /** errno of LIVEUPDATE_IOCTL_RETRIEVE_SESSION. */
  readonly error: number;
  /** In the order in which they were asked for. */
  readonly files: readonly FileAnswer[];
  /** errno of LIVEUPDATE_SESSION_FINISH; `undefined` when it was never answered. */
  readonly finishError: number | undefined;
}

/** What became of a stretch of memory. */
export interface RegionAnswer {
  /** errno of reading it. */
  readonly error: number;
  readonly sha256: string | undefined;
}

/** All that the guest said. */
export interface GuestReport {
  /** Whether init ran at all. */
  readonly started: boolean;
  /** Release of the kernel. */
  readonly release: string | undefined;
  /** The files of debugfs kho/in: the root FDT is `fdt`. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** errno of opening /dev/liveupdate; `undefined` when it never came to that. */
  readonly deviceError: number | undefined;
  /** In the order in which they were asked for. */
  readonly sessions: readonly SessionAnswer[];
  /** errno of retrieving a session without a name: 0 when there is one. */
  readonly namelessError: number | undefined;
  readonly regions: readonly RegionAnswer[];
  /** Whether init got to its end. */
  readonly ended: boolean;
}

interface OpenSession {
  readonly error: number;
  readonly files: FileAnswer[];
  finishError: number | undefined;
}

/** Reads a report as far as it goes; lines that make no sense are passed over. */
export function readReport(text: string): GuestReport {
  const blobs = new Map<string, Uint8Array>();
  const sessions: OpenSession[] = [];
  const regions: RegionAnswer[] = [];
  let started = false;
  let ended = false;
  let release: string | undefined;
  let deviceError: number | undefined;
  let namelessError: number | undefined;
  // The last line is whole only when a line end follows.
  for (const line of text.split('\n').slice(0, -1)) {
    const [kind, ...words] = line.replace(/\r$/, '').split(' ');
    const [first = '', second = '', third = ''] = words;
    if (kind === 'kho-try') started = true;
    else if (kind === 'end') ended = true;
    else if (kind === 'release') release = words.join(' ');
    else if (kind === 'device') deviceError = Number(first);
    else if (kind === 'nameless') namelessError = Number(first);
    else if (kind === 'blob') blobs.set(String.fromCharCode(...bytesOf(first)), bytesOf(second));
    else if (kind === 'session') sessions.push({ error: Number(second), files: [], finishError: undefined });
    else if (kind === 'file') sessions.at(-1)?.files.push(fileAnswer(words.slice(2)));
    else if (kind === 'region') regions.push({ error: Number(second), sha256: third });
    else if (kind === 'finish') {
      const session = sessions.at(-1);
      if (session !== undefined) session.finishError = Number(second);
    }
  }
  return { started, release, blobs, deviceError, sessions, namelessError, regions, ended };
}

function fileAnswer([error = '', size, seals, position, readError, sha256]: readonly string[]): FileAnswer {
  if (size === undefined || seals === undefined || position === undefined || sha256 === undefined)
    return { error: Number(error) };
  return {
    error: Number(error),
    size: hexNumber(size),
    seals: Number(hexNumber(seals) & 0xffff_ffffn),
    position: hexNumber(position),
    readError: Number(readError),
    sha256,
  };
}

function hexNumber(text: string): bigint {
  return /^[0-9a-f]+$/.test(text) ? BigInt(`0x${text}`) : 0n;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
