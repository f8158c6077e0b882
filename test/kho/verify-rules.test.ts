// SPDX-License-Identifier: Apache-2.0
// Every rule holds for a valid handover and fires on one that was damaged, naming the places that disagree.
import { describe, expect, it } from 'vitest';
import { FdtEditor } from '../../src/fdt/index.js';
import { PageStore } from '../../src/image/index.js';
import {
  Handover,
  type HandoverOptions,
  RULES,
  type Verification,
  verifyHandover,
} from '../../src/kho/index.js';
import { khoRootV1B } from '../../src/schemas/abi/kho-root.js';
import { khoScratchArray, setupDataKho } from '../../src/schemas/abi/kho-scratch.js';
import { khoMemChunkPage } from '../../src/schemas/abi/preserved-bitmaps.js';
import { encode } from '../../src/schemas/index.js';
import { AT, Damageable, file, RAM, RFC_TABLES, rfcHandover, session } from './captured-handover.js';

/** A handover that is damaged, and where the rule must say so. */
interface Case {
  readonly make: () => PageStore;
  readonly options?: HandoverOptions;
  readonly address?: bigint;
  readonly other?: bigint;
  /** Part of the message. */
  readonly says?: string | RegExp;
}

const captured =
  (damage: (store: Damageable) => void): (() => Damageable) =>
  () => {
    const store = new Damageable();
    damage(store);
    return store;
  };

const rfc = (damage: Parameters<typeof rfcHandover>[0]) => () => rfcHandover(damage);

/** The root with something changed by libfdt's read-write interface. */
function editRoot(store: PageStore, edit: (editor: FdtEditor) => void): void {
  const editor = FdtEditor.openInto(store.read(AT.root, 345), 4096);
  edit(editor);
  store.write(AT.root, editor.pack());
}

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
};

const setProperty = (node: string, name: string, value: Uint8Array) =>
  captured((store) => editRoot(store, (editor) => editor.setProperty(editor.nodeOffset(node), name, value)));

/** A kho-v1 handover that preserves only its root; with phys_start of its bitmap. */
function bitmapHandover(start: bigint): PageStore {
  const store = new PageStore();
  store.write(
    0x8000n,
    encode(khoRootV1B, { compatible: 'kho-v1', 'preserved-memory-map': 0x9000n, subtrees: [] }),
  );
  const chunk = {
    next: 0n,
    order: 0,
    num_elms: 1,
    bitmaps: [{ phys_start: 0n, bitmap: 0xa000n }],
    tail: undefined,
  };
  store.write(0x9000n, encode(khoMemChunkPage, chunk));
  store.write(0xa000n, Uint8Array.of(0, 1));
  store.writeU64(0x9010n, start);
  return store;
}

/** Where boot_params and the entry of setup_data of a captured handover are put. */
const BOOT_PARAMS = 0x9_0000n;
const SETUP_DATA = 0x9_1000n;

/** The captured handover as a kernel is led to it; what it has of scratch is an array of one region. */
const entered = (damage: (store: Damageable) => void) =>
  captured((store) => {
    const array = 0x9_2000n;
    const page = new Uint8Array(4096);
    const view = new DataView(page.buffer);
    view.setUint16(0x1fe, 0xaa55, true);
    view.setUint32(0x202, 0x53726448, true);
    view.setUint16(0x206, 0x020f, true);
    view.setBigUint64(0x250, SETUP_DATA, true);
    store.write(BOOT_PARAMS, page);
    const region = { addr: 0x1000_0000n, size: 0x10_0000n };
    store.write(array, encode(khoScratchArray, [region]));
    const entry = { next: 0n, type: 10, len: 32, fdt_addr: AT.root, fdt_size: 4096n };
    store.write(SETUP_DATA, encode(setupDataKho, { ...entry, scratch_addr: array, scratch_size: 16n }));
    damage(store);
  });

const wholeRam = (damage: (store: Damageable) => void) =>
  captured((store) => {
    store.ram = RAM;
    damage(store);
  });

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'root-fdt': [
    {
      make: captured((s) => s.write(AT.root, Uint8Array.of(0))),
      options: { root: AT.root },
      address: AT.root,
    },
    { make: captured((s) => s.write(AT.root + 8n, Uint8Array.of(0xff))), options: { root: AT.root } },
  ],
  'setup-data': [
    {
      make: entered((s) => s.writeU64(SETUP_DATA + 24n, 0n)),
      options: { root: undefined },
      address: SETUP_DATA + 24n,
      other: AT.root,
      says: 'expected 4096 bytes in fdt_size of setup_data, found 0',
    },
    {
      make: entered((s) => s.writeU32(SETUP_DATA + 12n, 48)),
      options: { root: undefined },
      address: SETUP_DATA + 12n,
      says: 'len',
    },
  ],
  'root-version': [
    {
      make: captured((s) => s.writeText(s.find(AT.root, 'kho-v4'), 'kho-v9')),
      address: AT.root,
      says: '"kho-v9"',
    },
  ],
  'root-layout': [{ make: setProperty('/', 'preserved-memory-map', u64(0n)), says: 'at least 1' }],
  'version-release': [
    {
      make: captured((s) => s.writeText(s.find(AT.root, 'kho-v4'), 'kho-v3')),
      address: AT.root,
      says: /kho-v4.*7\.3\.4.*kho-v3/,
    },
    {
      make: captured((s) => s.writeText(file(AT.files, 0), 'memfd-v1')),
      address: file(AT.files, 0),
      says: 'memfd-v1',
    },
  ],
  'root-unknown': [{ make: setProperty('/LUO', 'colour', u64(1n)), says: 'colour' }],
  'root-duplicate': [
    // The node memblock becomes a second LUO, the rest of its name FDT_NOPs.
    {
      make: captured((s) => {
        const at = s.find(AT.root, 'memblock');
        s.write(at, Uint8Array.from([76, 85, 79, 0, 0, 0, 0, 4, 0, 0, 0, 4]));
      }),
      says: 'kernels see only the first',
    },
  ],
  'blob-present': [
    { make: setProperty('/LUO', 'preserved-data', u64(0x8000_0000_0000n)), address: 0x8000_0000_0000n },
  ],
  'blob-fdt': [{ make: captured((s) => s.write(AT.memblock, Uint8Array.of(0))), address: AT.memblock }],
  'blob-version': [
    { make: captured((s) => s.writeText(AT.luo, 'luo-v9')), address: AT.luo },
    { make: captured((s) => s.writeU32(AT.metadata, 2)), address: AT.metadata },
  ],
  'blob-size': [
    { make: setProperty('/LUO', 'blob-size', u64(16n)), address: AT.root, other: AT.luo, says: '32 bytes' },
    { make: setProperty('/memblock', 'blob-size', u64(290n)), other: AT.memblock },
  ],
  'blob-layout': [{ make: captured((s) => s.writeU32(AT.metadata + 69n, 0)), address: AT.metadata + 69n }],
  'blob-unknown': [
    {
      make: captured((s) => {
        const editor = FdtEditor.openInto(s.read(AT.memblock, 294), 4096);
        editor.setProperty(editor.nodeOffset('/trace0'), 'colour', u64(1n));
        const blob = editor.pack();
        s.write(AT.memblock, blob);
        editRoot(s, (root) =>
          root.setProperty(root.nodeOffset('/memblock'), 'blob-size', u64(BigInt(blob.length))),
        );
      }),
      says: 'colour',
    },
  ],
  'consumer-unknown': [
    { make: captured((s) => s.writeText(s.find(AT.root, 'LUO'), 'XUO')), address: AT.luo },
  ],
  'map-nodes': [
    { make: captured((s) => s.writeU64(AT.map + 8n, 0x123n)), address: AT.map + 8n, other: 0x123n },
    {
      make: captured((s) => s.writeU64(AT.map + 8n, 0x8000_0000n)),
      address: AT.map + 8n,
      other: 0x8000_0000n,
    },
    {
      make: captured((s) => s.writeU64(AT.map + 8n, AT.map)),
      address: AT.map + 8n,
      other: AT.map,
      says: 'not reached before',
    },
  ],
  'map-keys': [
    // The table of all blocks of order 0 where keys have a bit too many.
    {
      make: captured((s) => {
        const table = s.u64(AT.map + 16n);
        s.writeU64(AT.map + 16n, 0n);
        s.writeU64(AT.map + 40n, table);
      }),
    },
    // The same where keys are so large that numbers are not exact.
    {
      make: captured((s) => {
        const table = s.u64(AT.map + 16n);
        s.writeU64(AT.map + 16n, 0n);
        s.writeU64(AT.map + 8n * 285n, table);
      }),
      says: 'keys from',
    },
  ],
  'map-chunks': [{ make: () => bitmapHandover(0x1000n), options: { root: 0x8000n } }],
  'map-overlap': [
    { make: captured((s) => s.setPreserved(0x201, true)), address: 0x201000n, other: 0x200000n },
  ],
  'map-scratch': [
    {
      make: captured(() => {}),
      options: { scratch: [{ address: 0x690000n, size: 0x100000n }] },
      address: 0x6a5000n,
      other: 0x690000n,
    },
  ],
  'map-nodes-scratch': [
    {
      make: captured(() => {}),
      options: { scratch: [{ address: AT.map, size: 4096n }] },
      address: AT.map,
      other: AT.map,
    },
  ],
  'map-ram': [
    {
      make: wholeRam((s) => {
        s.ram = 0x1fd0_0000n;
      }),
      address: 0x1fd0_0000n,
      other: AT.map,
    },
  ],
  'scratch-regions': [
    {
      make: captured(() => {}),
      options: { scratchArray: { address: 0x8000_0000n, size: 48n } },
      other: 0x8000_0000n,
    },
    { make: captured(() => {}), options: { scratchArray: { address: AT.luo, size: 32n } } },
  ],
  'reachable-present': [
    { make: captured((s) => s.writeU64(file(AT.files, 0) + 48n, 0x8000_0000n)), address: 0x8000_0000n },
  ],
  'reachable-preserved': [
    { make: captured((s) => s.setPreserved(5614, false)), address: 5614n << 12n, other: AT.folios },
    {
      make: captured((s) => s.setPreserved(Number(AT.sessions >> 12n), false)),
      address: AT.sessions,
      other: AT.luo + 16n,
    },
    {
      make: captured((s) => s.setPreserved(Number(AT.memblock >> 12n), false)),
      address: AT.memblock,
      other: AT.root,
    },
  ],
  'reachable-order': [
    {
      make: captured((s) => s.write(AT.hugeFolios, Uint8Array.of(1, 2))),
      address: 0x201000n,
      other: AT.hugeFolios,
      says: '0x200000',
    },
  ],
  'reachable-ram': [
    {
      make: wholeRam((s) => s.write(AT.folios, Uint8Array.of(0, 0, 2))),
      address: 0x2000_0000n,
      other: AT.folios,
    },
  ],
  'reachable-scratch': [
    {
      make: captured(() => {}),
      options: { scratch: [{ address: AT.sessions, size: 4096n }] },
      address: AT.sessions,
      other: AT.sessions,
    },
  ],
  'reachable-once': [
    { make: setProperty('/kexec-metadata', 'preserved-data', u64(AT.memblock)), address: AT.memblock },
    { make: captured((s) => s.writeU64(file(AT.files, 1) + 48n, AT.files)), address: AT.files },
  ],
  'preserved-reached': [
    { make: captured((s) => s.writeU64(AT.sessions + 8n, 2n)), other: AT.map, says: 'found none' },
  ],
  'ioas-areas': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iova-len'] = 0n;
      }),
      says: 'found 0',
    },
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iommu-prot'] = 0x47;
      }),
      says: '71',
    },
  ],
  'ioas-alignment': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iova-start'] += 8n;
      }),
      says: '0x100008',
    },
  ],
  'ioas-overlap': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iova-start'] = 0x100000n;
      }),
      says: 'area 0',
    },
  ],
  // An area grown by a page.
  'ioas-mapped': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iova-len'] += 4096n;
      }),
      address: 0x8000n,
      other: RFC_TABLES,
      says: '0x500000',
    },
  ],
  // A permission flipped, in the area and in a leaf.
  'ioas-permissions': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iommu-prot'] ^= 2;
      }),
      address: 0x8000n,
      other: RFC_TABLES,
      says: 'expected rw',
    },
    {
      make: rfc((_, store) => store.writeU64(leafOf(store, 0x100), store.u64(leafOf(store, 0x100)) | 2n)),
      says: '1 page(s) from IOVA 0x100000',
    },
  ],
  'ioas-outside': [
    {
      make: rfc(({ areas }) => {
        areas.pop();
      }),
      address: RFC_TABLES,
      says: '512 page(s) from IOVA 0x1000000',
    },
  ],
  'domain-width': [
    {
      make: rfc(({ areas }) => {
        for (const area of areas) area['iova-start'] += 1n << 48n;
      }),
      says: '48 bits',
    },
  ],
  'domain-tables': [
    { make: rfc((_, store) => store.drop(Number(store.u64(RFC_TABLES) >> 12n))), says: 'level' },
    { make: rfc((_, store) => store.writeU64(RFC_TABLES, RFC_TABLES | 3n)), says: 'level' },
  ],
  'domain-shared': [
    {
      make: rfc((parts) => {
        parts.others.push({ $name: 2, pgd: parts.pgd, mem: [] });
      }),
      other: RFC_TABLES,
      says: 'domain 1',
    },
  ],
  'device-domains': [
    {
      make: rfc((parts) => {
        parts.others.push({ $name: 2, pgd: parts.pgd, mem: [], device: 8 });
      }),
      says: '03:01.0',
    },
  ],
  'rfc-mem-missing': [
    {
      make: rfc(({ mem }) => {
        mem.splice(
          mem.findIndex(({ addr }) => addr === RFC_TABLES),
          1,
        );
      }),
      address: RFC_TABLES,
      says: 'not listed',
    },
  ],
  'rfc-mem-extra': [
    {
      make: rfc(({ mem }) => {
        mem.push({ addr: 64n << 20n, len: 4096n });
      }),
      address: 64n << 20n,
      says: 'a page of data',
    },
    {
      make: rfc(({ mem }) => {
        mem.push({ addr: 96n << 20n, len: 4096n });
      }),
      says: 'something else',
    },
  ],
  'rfc-mem-once': [
    {
      make: rfc(({ mem }) => {
        mem.push({ addr: RFC_TABLES, len: 4096n });
      }),
      says: '0x100000',
    },
  ],
  'rfc-mem-room': [
    {
      make: rfc(({ mem }) => {
        for (let i = 0; i < 260; i++) mem.push({ addr: BigInt(0x9000 + i) << 12n, len: 4096n });
      }),
      says: '256',
    },
  ],
  'luo-chain': [
    { make: captured((s) => s.writeU64(AT.sessions, AT.sessions)) },
    { make: captured((s) => s.writeU64(AT.moreFiles, AT.manyFiles)) },
  ],
  'luo-values': [
    { make: captured((s) => s.writeU64(AT.sessions + 8n, 0n)), address: AT.sessions + 8n },
    { make: captured((s) => s.writeU64(AT.sessions + 8n, 52n)) },
    { make: captured((s) => s.writeU64(AT.sessions + 8n, 5n)), address: session(4), says: 'text' },
    // Two objects of one name.
    { make: captured((s) => s.write(AT.flbs + 80n, s.read(AT.flbs + 16n, 48))), address: AT.flbs + 80n },
  ],
  'luo-leftover': [
    { make: captured((s) => s.writeU64(AT.sessions + 8n, 3n)), address: session(3), other: AT.sessions },
  ],
  'luo-file-count': [
    { make: captured((s) => s.writeU64(session(0) + 72n, 6n)), address: session(0), other: AT.files },
    {
      make: captured((s) => s.writeU64(AT.manyFiles, 0n)),
      address: session(2),
      other: AT.manyFiles,
      says: '63',
    },
  ],
  'luo-session-names': [
    {
      make: captured((s) => s.writeText(session(3), 'vm-alpha', 64)),
      address: session(3),
      other: session(0),
      says: 'vm-alpha',
    },
  ],
  'luo-tokens': [
    {
      make: captured((s) => s.writeU64(file(AT.files, 1) + 56n, 1n)),
      address: file(AT.files, 1),
      other: file(AT.files, 0),
    },
    // In different blocks of one list.
    {
      make: captured((s) => s.writeU64(file(AT.moreFiles, 0) + 56n, 0x1000n)),
      address: file(AT.moreFiles, 0),
      other: file(AT.manyFiles, 0),
    },
  ],
  'luo-handlers': [
    { make: captured((s) => s.writeText(file(AT.files, 0), 'floppy-v1', 48)), says: 'floppy-v1' },
  ],
  'luo-file-data': [
    {
      make: captured((s) => s.writeU64(file(AT.files, 1) + 48n, AT.memfd)),
      address: file(AT.files, 1),
      other: file(AT.files, 0),
    },
  ],
  'luo-flb-count': [
    { make: captured((s) => s.writeU64(AT.flbs + 16n + 56n, 79n)), address: AT.flbs + 16n, says: '79' },
  ],
  'memfd-values': [
    // A rule between fields of the struct, which is told of the struct as a whole.
    { make: captured((s) => s.writeU64(AT.memfd + 8n, 0n)), address: AT.memfd, says: 'is not empty' },
    { make: captured((s) => s.writeU32(AT.memfd + 16n, 0x40)), address: AT.memfd + 16n },
    { make: captured((s) => s.writeU32(AT.memfd + 20n, 1)), address: AT.memfd + 20n },
  ],
  'memfd-exec-seal': [
    { make: captured((s) => s.writeU32(AT.memfd + 16n, 0x20)), address: AT.memfd, says: '0x3e' },
    { make: captured((s) => s.writeU32(AT.memfd + 16n, 0x2e)), address: AT.memfd, says: '0x2e' },
  ],
  'memfd-array': [
    { make: captured((s) => s.writeU32(AT.memfd + 40n, 2)), says: '2 pages in all' },
    { make: captured((s) => s.writeU64(AT.memfd + 24n, 257n)) },
  ],
  'memfd-entries': [
    {
      make: captured((s) => s.writeU64(AT.folios, 3n << 52n)),
      address: AT.folios,
      other: AT.memfd,
      says: 'page frame 0',
    },
    {
      make: captured((s) => s.writeU64(AT.folios, (0x43n << 52n) | 5614n)),
      address: AT.folios,
      says: '0x43',
    },
  ],
  'memfd-index': [
    {
      make: captured((s) => s.writeU64(AT.folios + 8n, 1n)),
      address: AT.folios + 8n - 8n,
      other: AT.memfd,
      says: 'found 1',
    },
    {
      make: captured((s) => s.writeU64(AT.hugeFolios + 24n, 511n)),
      address: AT.hugeFolios + 16n,
      other: AT.hugeFolios,
      says: 'from 512 pages on',
    },
  ],
  'memfd-covered': [
    {
      make: captured((s) => s.writeU64(AT.memfd + 8n, 8192n)),
      address: AT.memfd,
      other: AT.folios,
      says: '2 pages',
    },
  ],
  'memfd-folio-once': [
    {
      make: captured((s) => s.writeU64(AT.hugeFolios + 16n, (3n << 52n) | 512n)),
      address: AT.hugeFolios + 16n,
      other: AT.hugeFolios,
    },
  ],
};

/** Address of the leaf entry for the IOVA page frame in the tables of the RFC handover. */
function leafOf(store: PageStore, frame: number): bigint {
  let table = RFC_TABLES;
  for (let level = 4; level > 1; level--)
    table =
      store.u64(table + BigInt((Math.floor(frame / 512 ** (level - 1)) % 512) * 8)) & 0xf_ffff_ffff_f000n;
  return table + BigInt((frame % 512) * 8);
}

const verdict = (store: PageStore, options: HandoverOptions = {}): Verification => {
  const root = store instanceof Damageable ? AT.root : 0x8000n;
  return verifyHandover(Handover.open(store, { root, ...options }));
};

/** Rules that a handover alone can break; those that need what somebody else says have given-spaces.test.ts. */
const OWN_RULES = RULES.filter(({ needs }) => !needs.includes('given') && !needs.includes('contexts'));

describe('every rule', () => {
  it('has a case that breaks it', () => {
    expect(Object.keys(CASES).sort()).toEqual(OWN_RULES.map(({ id }) => id).sort());
  });

  it('holds for the handovers that are damaged below', () => {
    const valid = [new Damageable(), rfcHandover(), bitmapHandover(0n)];
    for (const store of valid) {
      expect(verdict(store).findings).toEqual([]);
    }
    const whole = new Damageable();
    whole.ram = RAM;
    const scratch = [{ address: 0x1000_0000n, size: 0x10_0000n }];
    const ran = new Set(
      [verdict(whole, { scratch }), verdict(rfcHandover())].flatMap((each) => {
        expect(each.findings).toEqual([]);
        return each.ran;
      }),
    );
    // Each ran, so that holding means something.
    expect([...ran].sort()).toEqual(OWN_RULES.map(({ id }) => id).sort());
  });

  it.each(
    Object.entries(CASES).flatMap(([id, cases]) => cases.map((each, index) => [id, index, each] as const)),
  )('%s fires (%i)', (id, _, { make, options, address, other, says }) => {
    const findings = verdict(make(), options).findings.filter(({ rule }) => rule === id);
    expect(findings).not.toEqual([]);
    if (address !== undefined) expect(findings.map(({ at }) => at.address)).toContain(address);
    if (other !== undefined) expect(findings.map(({ at }) => at.other)).toContain(other);
    if (says !== undefined) expect(findings.map(({ message }) => message).join('\n')).toMatch(says);
  });
});
