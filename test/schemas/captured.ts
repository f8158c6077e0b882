// SPDX-License-Identifier: Apache-2.0
// The memory of a real handover, fixtures/kernel-7.3.4/kho-luo.trimmed.elf, and what an independent walker found in it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MemoryImage, openImage } from '../../src/image/index.js';
import { fixturesFolder } from '../fixtures.js';

export { memoryOf } from '../../src/kho/memory-of.js';

/** Opens the image taken when the old kernel was about to jump. */
export function openCapture(): MemoryImage {
  return openImage(join(fixturesFolder, 'kernel-7.3.4', 'kho-luo.trimmed.elf'));
}

const captures = process.env['KHO_CAPTURES'];

/**
 * Opens the image taken when the new kernel looked for the handover, with the scratch array in place; `undefined` (and
 * a line on stderr) without KHO_CAPTURES.
 */
export function openEarlyCapture(): MemoryImage | undefined {
  return openOther('early', 'the scratch array');
}

/** Opens the image of the new kernel in user space, the handover partly overwritten; `undefined` without KHO_CAPTURES. */
export function openSecondCapture(): MemoryImage | undefined {
  return openOther('second', 'a handover partly overwritten');
}

function openOther(name: string, what: string): MemoryImage | undefined {
  if (captures !== undefined)
    return openImage(join(captures, 'kernel-7.3.4', 'kho-luo', `${name}.trimmed.elf`));
  console.warn(`SKIP ${what}: KHO_CAPTURES is not set`);
  return undefined;
}

/** What the independent walker wrote down; addresses are hexadecimal text. */
export interface Oracle {
  readonly fdt_phys: string;
  readonly preserved_memory_map: string;
  readonly preserved_count: number;
  readonly subtrees: readonly {
    readonly name: string;
    readonly phys: string;
    readonly size: number;
    readonly hex: string;
  }[];
  /** Address and level. */
  readonly radix_nodes: readonly (readonly [string, number])[];
  readonly memblock: {
    readonly regions: readonly { readonly name: string; readonly start: string; readonly size: string }[];
  };
  readonly kexec_metadata: {
    readonly version: number;
    readonly previous_release: string;
    readonly kexec_count: number;
  };
  readonly scratch: readonly (readonly [string, string])[];
  readonly setup_data: {
    readonly fdt_addr: string;
    readonly fdt_size: number;
    readonly scratch_addr: string;
    readonly scratch_size: number;
  };
  readonly luo: {
    readonly liveupdate_num: number;
    readonly sessions_pa: string;
    readonly flbs_pa: string;
    readonly sessions: readonly {
      readonly name: string;
      readonly files_pa: string;
      readonly count: number;
      readonly files: readonly OracleFile[];
    }[];
  };
}

/** A file as the walker found it; folios are [pfn, flags, index]. */
export interface OracleFile {
  readonly compatible: string;
  readonly data: string;
  readonly token: string;
  readonly memfd: {
    readonly pos: number;
    readonly size: number;
    readonly seals: number;
    readonly nr_folios: number;
    readonly vmalloc: {
      readonly first: string;
      readonly chunks: readonly string[];
      readonly pages: readonly string[];
    };
    readonly folios: readonly (readonly [number, number, number])[];
  };
}

/** Reads what the walker wrote down. */
export function readOracle(): Oracle {
  const oracle: Oracle = JSON.parse(
    readFileSync(join(fixturesFolder, 'kernel-7.3.4', 'kho-luo.oracle.json'), 'utf8'),
  );
  return oracle;
}
