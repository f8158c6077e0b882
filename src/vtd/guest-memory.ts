// SPDX-License-Identifier: Apache-2.0
import { ImageError } from '../image/error.js';
import {
  type MemoryRange,
  PAGE_SHIFT,
  PAGE_SIZE,
  type PageMiss,
  type PageSlot,
  type PhysicalMemory,
} from '../image/physical-memory.js';
import { extentAt } from './extents.js';
import { translate } from './translate.js';
import { walkTable } from './walk.js';
import type { TableRoot } from './walk-result.js';

/** Translations of frames that are remembered: one page of second-stage entries. */
const REMEMBERED = 512;

/**
 * Memory as guest-physical addresses show it through a second stage: what first-stage tables of nested domains are
 * walked in, so that extents lead to guest-physical memory. A page that the second stage does not map is absent.
 */
export class GuestMemory implements PhysicalMemory {
  readonly #memory: PhysicalMemory;
  readonly #second: TableRoot;
  readonly #frames = new Map<number, number | undefined>();

  /** @param second the second stage; its tables lie in `memory` */
  constructor(memory: PhysicalMemory, second: TableRoot) {
    this.#memory = memory;
    this.#second = second;
  }

  /** The host frame of a guest frame; `undefined` where there is none. */
  hostFrame(frame: number): number | undefined {
    if (this.#frames.has(frame)) return this.#frames.get(frame);
    const { phys } = translate(this.#memory, this.#second, BigInt(frame) << BigInt(PAGE_SHIFT));
    const host = phys === undefined ? undefined : Number(phys >> BigInt(PAGE_SHIFT));
    if (this.#frames.size >= REMEMBERED) this.#frames.clear();
    this.#frames.set(frame, host);
    return host;
  }

  page(pfn: number): Uint8Array | PageMiss {
    const host = this.hostFrame(pfn);
    return host === undefined ? 'absent' : this.#memory.page(host);
  }

  locate(pfn: number, slot: PageSlot): PageMiss | undefined {
    const host = this.hostFrame(pfn);
    return host === undefined ? 'absent' : this.#memory.locate(host, slot);
  }

  read(pa: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = pa + BigInt(done);
      const within = Number(at & BigInt(PAGE_SIZE - 1));
      const host = this.hostFrame(Number(at >> BigInt(PAGE_SHIFT)));
      if (host === undefined) {
        throw new ImageError({
          code: 'ABSENT',
          message: 'the second stage does not map this address',
          address: at,
        });
      }
      const part = Math.min(PAGE_SIZE - within, length - done);
      bytes.set(this.#memory.read((BigInt(host) << BigInt(PAGE_SHIFT)) + BigInt(within), part), done);
      done += part;
    }
    return bytes;
  }

  u64(pa: bigint): bigint {
    const bytes = this.read(pa, 8);
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }

  *ranges(): Generator<MemoryRange> {
    let open: { start: bigint; end: bigint } | undefined;
    const { extents } = walkTable(this.#memory, this.#second);
    for (let row = 0; row < extents.length; row++) {
      const { iova: start, length } = extentAt(extents, row);
      if (open !== undefined && open.end === start) {
        open.end = start + length;
        continue;
      }
      if (open !== undefined) yield { ...open, state: 'present' };
      open = { start, end: start + length };
    }
    if (open !== undefined) yield { ...open, state: 'present' };
  }
}
