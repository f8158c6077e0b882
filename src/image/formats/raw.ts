// SPDX-License-Identifier: Apache-2.0
// Raw flat images, memory-images.md section 1 and (QEMU's split of RAM around the PCI hole) section 7.
import { ADDRESS_LIMIT } from '../address.js';
import type { ByteSource } from '../byte-source.js';
import { ImageError } from '../error.js';
import { SegmentedMemory } from '../segmented-memory.js';
import { SegmentBuilder } from '../segments.js';
import type { FormatContext, OpenedFormat } from './format.js';

/** How a raw file maps to addresses; the file itself does not say. */
export interface RawLayout {
  /** Physical address of the file's first byte; 0 when left out. */
  readonly base?: bigint | undefined;
  /** Addresses the file skips: what follows the hole in memory follows its start in the file. */
  readonly hole?: { readonly start: bigint; readonly length: bigint } | undefined;
}

/** @throws ImageError BAD_ARGUMENT when base or hole make no sense for a file of this size */
export function openRaw(source: ByteSource, layout: RawLayout, context: FormatContext): OpenedFormat {
  const base = layout.base ?? 0n;
  const size = BigInt(source.size);
  const hole = layout.hole ?? { start: base + size, length: 0n };
  if (base < 0n || hole.length < 0n || base + size + hole.length > BigInt(ADDRESS_LIMIT)) {
    throw new ImageError({
      code: 'BAD_ARGUMENT',
      message: `a base of ${base} and a hole of ${hole.length} bytes put this file outside of 52-bit addresses`,
    });
  }
  if (hole.start < base || hole.start > base + size) {
    throw new ImageError({
      code: 'BAD_ARGUMENT',
      message: 'the hole starts outside of the memory this file can hold',
      address: hole.start,
    });
  }
  const segments = new SegmentBuilder(source, 'refuse', context.remark);
  const below = hole.start - base;
  segments.present(base, 0n, below, 0);
  segments.present(hole.start + hole.length, below, size - below, 0);
  return { format: 'raw', memory: new SegmentedMemory(source, segments.build()), facts: {} };
}
