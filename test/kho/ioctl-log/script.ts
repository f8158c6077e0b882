// SPDX-License-Identifier: Apache-2.0
// Writes logs as short scripts and replays them on the model.
import { decodeCall, rangeBytes } from '../../../src/kho/ioctl-log/call-bytes.js';
import { errnoName } from '../../../src/kho/ioctl-log/errno.js';
import type {
  AddressRange,
  DeviceFacts,
  IoctlExtras,
  LogFile,
  LogRecord,
} from '../../../src/kho/ioctl-log/log.js';
import { ioctlRecord } from '../../../src/kho/ioctl-log/log.js';
import { type Replayed, replayLog } from '../../../src/kho/ioctl-log/replay.js';
import { encodeUnchecked, type IoctlName, ioctls, sizeOf } from '../../../src/schemas/index.js';

type Fields = Readonly<Record<string, number | bigint | Uint8Array>>;

/** A sequence of calls, and what the model answers. */
export class Script {
  readonly #records: LogRecord[] = [];
  readonly #files: LogFile[] = [{ name: 'iommufd', kind: 'iommufd' }];

  /** Another device; without facts it is that of a VT-d machine. */
  device(name: string, facts: Partial<DeviceFacts> = {}): this {
    this.#files.push({ name, kind: 'device', device: facts });
    return this;
  }

  /** A call; fields that are not given are zero, the size is that of the struct. */
  call(call: IoctlName, fields: Fields = {}, extras: IoctlExtras = {}, file = 'iommufd'): this {
    const { layout } = ioctls[call];
    const zero = Object.keys(layout.fields).map((name) => {
      const type = layout.fields[name];
      const value =
        name === 'size' || name === 'argsz' ? sizeOf(layout) : type?.kind === 'reserved' ? undefined : 0;
      return [name, value] as const;
    });
    const bytes = encodeUnchecked(layout, { ...Object.fromEntries(zero), ...fields });
    const base = { seq: this.#records.length, thread: 1, file };
    this.#records.push(ioctlRecord<IoctlName>(call, base, decodeCall(call, bytes).args, extras));
    return this;
  }

  /** ALLOW_IOVAS with these ranges. */
  allow(ioas: number, ranges: readonly AddressRange[]): this {
    const fields = { ioas_id: ioas, num_iovas: ranges.length };
    return this.call('IOAS_ALLOW_IOVAS', fields, { buffer: rangeBytes(ranges) });
  }

  /** Binds a device to the iommufd, and attaches it where a table is given. */
  bind(name: string, table?: number): this {
    this.call('DEVICE_BIND_IOMMUFD', { iommufd: 3 }, { target: 'iommufd' }, name);
    return table === undefined ? this : this.call('DEVICE_ATTACH_IOMMUFD_PT', { pt_id: table }, {}, name);
  }

  /** A file is closed. */
  close(file: string): this {
    this.#records.push({ seq: this.#records.length, thread: 1, file, kind: 'close' });
    return this;
  }

  /** Replays all calls. */
  replay(): Replayed & { readonly results: readonly string[] } {
    const results: string[] = [];
    const log = { files: this.#files, memories: [], records: this.#records, notes: [] };
    const replayed = replayLog(log, {
      onCall: (_, errno, out) => {
        const back = Object.values(out).map((value) => `0x${value.toString(16)}`);
        results.push(errno === 0 ? ['ok', ...back].join(' ') : errnoName(errno));
      },
    });
    return { ...replayed, results };
  }

  /** What the last call gives: `ok` and what came back, or the name of an error. */
  last(): string {
    return this.replay().results.at(-1) ?? 'nothing';
  }
}

/** A script that begins with an IOAS, which gets id 1. */
export function withIoas(): Script {
  return new Script().call('IOAS_ALLOC');
}
