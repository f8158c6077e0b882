// SPDX-License-Identifier: Apache-2.0
// Handovers that are made from descriptions alone and given to a kernel.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  descriptionFromJson,
  type FileDescription,
  type HandoverDescription,
  type SessionDescription,
} from '../../src/kho/index.js';

/** A handover to be judged by a kernel. */
export interface Described {
  readonly name: string;
  /** What it is there for. */
  readonly what: string;
  readonly description: HandoverDescription;
  /** Memory of the machine in bytes; default that of the description. */
  readonly memory?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const PAGE = 4 * KIB;
/** Folios that fill one chunk of a vmalloc area: 511 pages of 256 entries. */
const CHUNKFUL = 511 * 256;
const KERNEL = '7.3';

/** A file whose every page differs from all others of the same seed's handover. */
function patterned(pattern: number, size: number, more: Partial<FileDescription> = {}): FileDescription {
  return { size, contents: { pattern }, ...more };
}

function sessions(count: number, files: (index: number) => readonly FileDescription[]): SessionDescription[] {
  return Array.from({ length: count }, (_, index) => ({ name: `session ${index}`, files: files(index) }));
}

const machine = (gib: number): Pick<HandoverDescription, 'kernel' | 'memory'> => ({
  kernel: KERNEL,
  memory: [{ start: 0n, size: BigInt(gib) << 30n }],
});

/** Everything at once that is small: what the quick gate boots, and what labelled cases are made from. */
const everything = descriptionFromJson(
  JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'made-up', 'judged.json'), 'utf8'),
  ),
);

/**
 * The objects that the test of a kernel with CONFIG_LIVEUPDATE_TEST keeps with every memfd. Where they are missing it warns of
 * a reference count when the first file is finished.
 */
export const TEST_OBJECTS: HandoverDescription['objects'] = [0n, 1n, 2n].map((version) => ({
  name: `liveupdate-test-flb-v${version}`,
  data: 0xfeed_f00d_cafe_bee0n + version,
}));

/** A handover small enough to break every pointer of it, that has pointers of every kind. */
export const SMALL: HandoverDescription = {
  kernel: KERNEL,
  reserveMem: [{ name: 'oops', size: 12 * KIB, contents: { text: 'reserved' } }],
  sessions: [
    {
      name: 'files',
      files: [
        patterned(1, 9 * KIB),
        patterned(2, 70 * KIB, { folioOrder: 3 }),
        // Without a position an empty file is all zeros, as is memory that a broken pointer leads to.
        ...Array.from({ length: 62 }, (_, index) => ({ size: 0, position: index + 1 })),
        patterned(3, 300 * PAGE, { folioOrder: 0 }),
      ],
    },
    ...sessions(51, () => []),
  ],
  objects: TEST_OBJECTS,
};

/** Handovers in the order of how long they take. */
export const DESCRIBED: readonly Described[] = [
  { name: 'everything', what: 'all that is small, at once', description: everything },
  {
    name: 'one-session',
    what: '1 session of one file',
    description: { kernel: KERNEL, sessions: sessions(1, () => [patterned(1, 4 * KIB)]) },
  },
  {
    name: 'file-sizes',
    what: 'files of 0 B, 1 B, 4095 B, 4 KiB, 4097 B, 1 MiB, 100 MiB; positions and all seals',
    description: {
      kernel: KERNEL,
      sessions: [
        {
          name: 'sizes',
          files: [0, 1, 4095, 4096, 4097, MIB, 100 * MIB].map((size, index) =>
            patterned(index + 1, size, {
              position: Math.floor(size / 3),
              seals: [0, 1, 2, 4, 8, 0x10, 0x3f][index] ?? 0,
            }),
          ),
        },
      ],
    },
  },
  {
    name: 'hundred-sessions',
    what: '100 sessions of two files each',
    description: {
      kernel: KERNEL,
      sessions: sessions(100, (index) => [
        patterned(index, 4 * KIB),
        patterned(1000 + index, 40 * KIB + index),
      ]),
    },
  },
  ...[63, 64, 126, 127, 1000].map(
    (count): Described => ({
      name: `files-${count}`,
      what: `a session of ${count} files, 63 of which fill a block`,
      description: {
        kernel: KERNEL,
        sessions: [
          { name: 'many', files: Array.from({ length: count }, (_, at) => patterned(at, 100 + at)) },
        ],
      },
    }),
  ),
  ...[51, 52, 102].map(
    (count): Described => ({
      name: `sessions-${count}`,
      what: `${count} sessions, 51 of which fill a block`,
      description: { kernel: KERNEL, sessions: sessions(count, (index) => [patterned(index, 100)]) },
    }),
  ),
  {
    name: 'reserved',
    what: '8 reserve_mem regions of 4 KiB to 16 MiB, which is as many as a kernel takes',
    description: {
      kernel: KERNEL,
      reserveMem: [1, 2, 3, 5, 16, 257, 1024, 4096].map((pages, index) => ({
        name: `region${index}`,
        size: pages * PAGE,
        contents: { pattern: index + 1 },
        align: pages === 4096 ? 16 * MIB : PAGE,
      })),
    },
  },
  {
    name: 'orders',
    what: 'files of folios of order 0 to 9, memory preserved in blocks of order 0 to 10, two of each',
    description: {
      kernel: KERNEL,
      sessions: [
        {
          name: 'orders',
          files: Array.from({ length: 10 }, (_, folioOrder) =>
            patterned(folioOrder + 1, 2 ** folioOrder * PAGE + 1, { folioOrder }),
          ),
        },
      ],
      preserve: Array.from({ length: 11 }, (_, order) => ({ order, count: 2 })),
      reserveMem: [{ name: 'order10', size: 4 * MIB, align: 4 * MIB, contents: { pattern: 77 } }],
    },
  },
  {
    name: 'order-10-folios',
    what: 'a file of folios of order 10, larger than a huge page',
    description: {
      kernel: KERNEL,
      sessions: [{ name: 'large', files: [patterned(5, 9 * MIB, { folioOrder: 10 })] }],
    },
  },
  {
    name: 'chunk-filled',
    what: `a file of ${CHUNKFUL} folios: a list that fills its chunk, so that an empty one follows`,
    memory: 2 ** 31,
    description: {
      ...machine(2),
      sessions: [{ name: 'large', files: [{ size: CHUNKFUL * PAGE, contents: { pattern: 5, words: 4 } }] }],
    },
  },
  {
    name: 'two-chunks',
    what: `a file of ${CHUNKFUL + 300} folios: two chunks`,
    memory: 2 ** 31,
    description: {
      ...machine(2),
      sessions: [
        { name: 'large', files: [{ size: (CHUNKFUL + 300) * PAGE - 9, contents: { pattern: 6, words: 4 } }] },
      ],
    },
  },
  {
    name: 'above-4-gib',
    what: 'a machine of 5 GiB, all of it behind 4 GiB but scratch',
    memory: 5 * 2 ** 30,
    description: {
      kernel: KERNEL,
      memory: [
        { start: 0n, size: 1n << 31n },
        { start: 1n << 32n, size: 3n << 30n },
      ],
      scratch: [
        { start: 0x6000_0000n, size: 96n << 20n },
        { start: 0x1_a000_0000n, size: 32n << 20n },
      ],
      preserve: [{ start: 0x10_0000n, size: 0x5000_0000n }],
      reserveMem: [{ name: 'high', size: MIB, contents: { pattern: 3 } }],
      sessions: [{ name: 'high', files: [patterned(1, 3 * MIB), patterned(2, 4 * MIB, { folioOrder: 9 })] }],
    },
  },
  {
    name: 'five-thousand-sessions',
    what: '5,000 sessions of one file each',
    description: { kernel: KERNEL, sessions: sessions(5000, (index) => [patterned(index, 4 * KIB)]) },
  },
];
