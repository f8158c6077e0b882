// SPDX-License-Identifier: Apache-2.0
// What differs between two handovers: the captured one, and the captured one with one thing changed.
import { describe, expect, it } from 'vitest';
import type { PageStore } from '../../src/image/index.js';
import {
  diffHandovers,
  Handover,
  type HandoverChange,
  type HandoverDiffOptions,
} from '../../src/kho/index.js';
import { openCapture, openEarlyCapture } from '../schemas/captured.js';
import { AT, Damageable, file, RFC_TABLES, rfcHandover, session } from './captured-handover.js';

const root = { root: AT.root };
const whole = Handover.open(openCapture(), root);

/** A change in a few words: sign, part, whose, field, before, after. */
function inWords({ part, kind, of, field, before, after }: HandoverChange): string {
  const sign = { added: '+', removed: '-', changed: '~' }[kind];
  const values = [before, after].map((value) => {
    if (value === undefined) return '';
    if ('text' in value) return value.text;
    if (value.kind === 'range') return `${value.address.toString(16)}:${value.size.toString(16)}`;
    if (value.kind === 'mapping') return `${value.phys.toString(16)}/${value.bits}`;
    return `${value.value}`;
  });
  return `${sign} ${part} ${of.join(' ')} ${field}: ${values.join(' -> ')}`.replace(/ +/g, ' ').trim();
}

/** How the capture differs from itself after a change. */
function afterwards(change: (store: Damageable) => void, options?: HandoverDiffOptions): string[] {
  const store = new Damageable();
  change(store);
  return diffHandovers(whole, Handover.open(store, root), options).changes.map(inWords);
}

describe('diffHandovers on a captured handover', () => {
  it('finds no difference between a handover and itself', () => {
    const { changes, notes } = diffHandovers(whole, Handover.open(openCapture(), root), { placement: true });
    expect(changes).toEqual([]);
    expect(notes.map(({ kind }) => kind)).toEqual(['unknown']);
    // reserved memory, and most of four large files, are not in the trimmed capture.
    expect(notes[0]?.text).toBe('4103 pages of 6 files and regions, which not both images hold');
  });

  const early = openEarlyCapture();
  it.skipIf(early === undefined)(
    'finds none between what the old kernel left and the new kernel found',
    () => {
      if (early === undefined) return;
      const incoming = Handover.open(early, root);
      expect(diffHandovers(whole, incoming, { placement: true }).changes).toEqual([]);
    },
  );

  it.each<[string, (store: Damageable) => void, string[]]>([
    [
      'the release that handed over',
      (store) => store.writeText(store.find(AT.metadata, '7.3.4'), '7.3.5'),
      ['~ kernel release: 7.3.4 -> 7.3.5'],
    ],
    ['live updates', (store) => store.writeU64(AT.luo + 8n, 9n), ['~ kernel live updates: 1 -> 9']],
    [
      'the name of a session',
      (store) => store.writeText(session(0), 'vm-gamma', 64),
      ['- session vm-alpha : 5 files ->', '+ session vm-gamma : -> 5 files'],
    ],
    [
      'the token of a file',
      (store) => store.writeU64(file(AT.files, 0) + 56n, 0x77n),
      ['- file vm-alpha 0x1 : memfd-v2, 4096 bytes ->', '+ file vm-alpha 0x77 : -> memfd-v2, 4096 bytes'],
    ],
    ['seals', (store) => store.writeU32(AT.memfd + 16n, 2), ['~ file vm-alpha 0x1 seals: 0 -> 2']],
    ['a position', (store) => store.writeU64(AT.memfd, 77n), ['~ file vm-alpha 0x1 position: 0 -> 77']],
    [
      'one bit of contents',
      (store) => {
        const pfn = whole.sessions[0]?.files[0]?.memfd?.folios?.pfns[0] ?? 0;
        const at = BigInt(pfn) * 4096n + 100n;
        const [byte = 0] = store.read(at, 1);
        store.write(at, Uint8Array.of(byte ^ 4));
      },
      ['~ file vm-alpha 0x1 contents: -> 1 of 1 pages differ, the first at byte 0x64'],
    ],
    [
      'reserved memory',
      (store) => store.writeU64(store.find(AT.memblock, '\0\0\xe0\x1e'), 0x1ee0_1000n),
      ['~ region trace0 memory: 1ee00000:400000 -> 1ee01000:400000'],
    ],
    [
      'a block that is not preserved any more',
      (store) => store.setPreserved(whole.sessions[0]?.files[0]?.memfd?.folios?.pfns[0] ?? 0, false),
      ['- preserved session vm-alpha, file 0x1 : 15ee000:1000 ->'],
    ],
    [
      'a block that nobody needs',
      (store) => store.setPreserved(0x2000, true),
      ['+ preserved : -> 2000000:1000'],
    ],
    [
      'objects bound to files',
      (store) => store.writeU64(AT.flbs + 16n + 56n, 3n),
      ['~ flb liveupdate-test-flb-v0 dependents: 78 -> 3'],
    ],
  ])('names %s and nothing else', (_what, change, told) => {
    expect(afterwards(change)).toEqual(told);
  });

  it('takes pages that the handover takes for itself for a difference only when asked', () => {
    const drop = (store: Damageable) => store.setPreserved(Number(AT.memfd >> 12n), false);
    expect(afterwards(drop)).toEqual([]);
    expect(afterwards(drop, { placement: true })).toEqual([
      '- preserved memfd_luo_ser of session vm-alpha, file 0x1 : 6a8000:1000 ->',
    ]);
  });

  it('tells of a consumer that cannot be read, and of what is lost with it', () => {
    const told = afterwards((store) => store.writeText(AT.luo, 'luo-v9'));
    expect(told.slice(0, 3)).toEqual([
      '~ consumer LUO blob: readable -> not readable',
      '- session vm-alpha : 5 files ->',
      '- session a-session-name-that-is-exactly-sixty-three-characters-long-1234 : 3 files ->',
    ]);
  });
});

describe('diffHandovers on handovers of the RFC of 2024', () => {
  const at = { root: 0x8000n };
  const before = Handover.open(rfcHandover(), at);
  const against = (damage: Parameters<typeof rfcHandover>[0]): string[] =>
    diffHandovers(before, Handover.open(rfcHandover(damage), at)).changes.map(inWords);

  it('finds no difference between equals, nor when mem is listed in another order', () => {
    expect(against(() => undefined)).toEqual([]);
    expect(against(({ mem }) => mem.reverse())).toEqual([]);
  });

  it('names areas that come, go and change', () => {
    expect(
      against(({ areas }) => {
        areas[0] = { $name: 0, 'iova-start': 0x10_0000n, 'iova-len': 0x20_0000n, 'iommu-prot': 7 };
        areas[1] = { $name: 1, 'iova-start': 0x200_0000n, 'iova-len': 0x1000n, 'iommu-prot': 7 };
      }),
    ).toEqual([
      '~ area iommufd 1 ioas 1 0x100000 IOVAs: 100000:400000 -> 100000:200000',
      '~ area iommufd 1 ioas 1 0x100000 protection: read+cache -> read+write+cache',
      '- area iommufd 1 ioas 1 0x1000000 : 1000000:200000 ->',
      '+ area iommufd 1 ioas 1 0x2000000 : -> 2000000:1000',
    ]);
  });

  it('names the one leaf that leads elsewhere', () => {
    const told = against((_parts, store) => {
      const leaf = lowestTable(store) + 8n * 3n;
      store.writeU64(leaf, store.u64(leaf) ^ 0x1000n);
    });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(
      /^~ mapping domain 1 of iommufd 1 0x[0-9a-f]+ 4096 : [0-9a-f]+\/\d+ -> [0-9a-f]+\/\d+$/,
    );
  });

  it('does not take what hardware sets for a difference, unless asked', () => {
    const accessed = (_parts: unknown, store: PageStore): void => {
      const leaf = lowestTable(store) + 8n * 300n;
      store.writeU64(leaf, store.u64(leaf) | 0x300n);
    };
    expect(against(accessed)).toEqual([]);
    const after = Handover.open(rfcHandover(accessed), at);
    expect(diffHandovers(before, after, { accessed: true }).changes).toHaveLength(1);
  });

  it('tells devices and domains', () => {
    expect(
      against(({ others }) => {
        others.push({ $name: 2, pgd: RFC_TABLES, mem: [], device: 17 });
      }),
    ).toEqual(['+ domain domain 2 of iommufd 2 : -> 4 levels, 1 devices']);
  });
});

/** A table of level 1: the first whose entries lead to memory from 64 MiB on. */
function lowestTable(store: PageStore): bigint {
  for (const pfn of store.writtenPages()) {
    const table = BigInt(pfn) << 12n;
    const entries = [3n, 300n].map((index) => store.u64(table + index * 8n) & 0xffff_ffff_f000n);
    if (entries.every((entry) => entry >= 0x400_0000n)) return table;
  }
  throw new Error('no table of level 1');
}
