// SPDX-License-Identifier: Apache-2.0
// memfd before memfd-v2 and KHO's test module, against what a C program made (fixtures/luo-older).
import { describe, expect, it } from 'vitest';
import {
  check,
  decode,
  encode,
  encodeUnchecked,
  identify,
  khoTest,
  khoTestV1,
  khoTestV1Inline,
  type Layout,
  memfd,
  memfdDraftFolio,
  memfdFolio,
  memfdV1,
  memfdV1Fdt,
  memfdV1Inline,
  memfdV2,
  memfdV2Draft,
  versionName,
} from '../../src/schemas/index.js';
import { olderFixture } from './luo-older.js';

describe('memfd', () => {
  const folios = { first: 0x310000n, total_pages: 1, flags: 1, order: 0 };
  const none = { first: 0n, total_pages: 0, flags: 0, order: 0 };
  const foliodescs = [
    { foliodesc: { pfn: 0x12345, flags: 3 }, index: 0n },
    { foliodesc: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n },
  ];

  it.each([
    ['memfd-v1.bin', memfdV1, { pos: 7n, size: 0x201000n, nr_folios: 2n, folios }],
    ['memfd-v1-empty.bin', memfdV1, { pos: 0n, size: 0n, nr_folios: 0n, folios: none }],
    [
      'memfd-v2-draft.bin',
      memfdV2Draft,
      { pos: 7n, size: 0x201000n, seals: { seals: 0x2f, pad: 0n }, nr_folios: 2n, folios },
    ],
    [
      'memfd-v2-draft.bin',
      memfdV2,
      { pos: 7n, size: 0x201000n, seals: 0x2f, flags: 0, nr_folios: 2n, folios },
    ],
    ['memfd-v1-inline.dtb', memfdV1Inline, { pos: 7n, size: 0x201000n, folios: foliodescs }],
    ['memfd-v1-fdt.dtb', memfdV1Fdt, { pos: 7n, size: 0x201000n, nr_folios: 2n, folios }],
    ['memfd-v1-fdt-empty.dtb', memfdV1Fdt, { pos: 7n, size: 0n }],
  ] as const)('%s decodes to what went in, and back', (name, layout: Layout, value) => {
    const blob = olderFixture(name);
    expect(check(layout, blob)).toEqual({ value, issues: [], unknown: [] });
    expect(Buffer.from(encodeUnchecked(layout, value)).equals(blob)).toBe(true);
  });

  it.each([
    ['memfd-v1.bin', 'memfd-v1', 'memfd-v1', 'evidence'],
    ['memfd-v1-inline.dtb', 'memfd-v1', 'memfd-v1=fdt-inline', 'evidence'],
    ['memfd-v1-fdt.dtb', 'memfd-v1', 'memfd-v1=fdt', 'evidence'],
    ['memfd-v2-draft.bin', 'memfd-v2', 'memfd-v2', 'likely'],
  ] as const)('%s under the string %s is %s', (name, key, version, confidence) => {
    const found = identify(memfd, olderFixture(name), {}, key);
    expect(found && [versionName(found.version), found.confidence]).toEqual([version, confidence]);
  });

  it('swapped flags and page frame number in folios', () => {
    const released = decode(memfdFolio, olderFixture('folios.bin').subarray(16, 32));
    expect(released).toEqual({ folio: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n });
    const bytes = encode(memfdDraftFolio, { foliodesc: { pfn: 2 ** 52 - 1, flags: 2 }, index: 512n });
    expect(Buffer.from(bytes).toString('hex')).toBe('02f0ffffffffffff0002000000000000');
  });
});

describe("KHO's test module", () => {
  const value = (folios_info: unknown) => ({
    compatible: 'kho-test-v1',
    magic: 0x4b484f21,
    data: { nr_folios: 3, folios_info, csum: 0x89abcdef },
  });
  const inline = [
    { order: 9, pfn: 0x10000 },
    { order: 0, pfn: 0x20000 },
    { order: 10, pfn: 0x123456789 },
  ];
  const descriptor = { first: 0x310000n, total_pages: 1, flags: 1, order: 0 };

  it.each([
    ['kho-test-inline.dtb', khoTestV1Inline, inline, 'kho-test-v1=inline'],
    ['kho-test-vmalloc.dtb', khoTestV1, descriptor, 'kho-test-v1=vmalloc'],
  ] as const)('%s decodes to what went in, and back', (name, layout: Layout, folios_info, version) => {
    const blob = olderFixture(name);
    expect(check(layout, blob)).toEqual({ value: value(folios_info), issues: [], unknown: [] });
    expect(Buffer.from(encodeUnchecked(layout, value(folios_info))).equals(blob)).toBe(true);
    const found = identify(khoTest, blob);
    expect(found && versionName(found.version)).toBe(version);
  });
});
