// SPDX-License-Identifier: Apache-2.0
// A real handover of Linux 7.3.4 decodes completely, and its values encode to the captured bytes.
import { describe, expect, it } from 'vitest';
import { kexecMetadataV1 } from '../../src/schemas/abi/kexec-metadata.js';
import { khoRootV4 } from '../../src/schemas/abi/kho-root.js';
import { khoScratchArray, setupDataKho } from '../../src/schemas/abi/kho-scratch.js';
import { luoFileBlock, luoSessionBlock, luoV5 } from '../../src/schemas/abi/luo.js';
import { memblockV1 } from '../../src/schemas/abi/memblock.js';
import { memfdV2 } from '../../src/schemas/abi/memfd.js';
import { registryLookup } from '../../src/schemas/identify.js';
import { check } from '../../src/schemas/lang/check.js';
import { decode } from '../../src/schemas/lang/decode.js';
import { encodeUnchecked } from '../../src/schemas/lang/encode.js';
import type { SchemaIssue } from '../../src/schemas/lang/error.js';
import { follow } from '../../src/schemas/lang/follow.js';
import type { Reached } from '../../src/schemas/lang/memory.js';
import { spansOf } from '../../src/schemas/lang/spans.js';
import type { Layout } from '../../src/schemas/lang/type.js';
import { memoryOf, openCapture, openEarlyCapture, readOracle } from './captured.js';

const memory = memoryOf(openCapture());
const early = openEarlyCapture();
const oracle = readOracle();

function reach(start: { layout: Layout; address: bigint; length?: number }): {
  reached: Reached[];
  issues: SchemaIssue[];
} {
  const issues: SchemaIssue[] = [];
  const reached = [...follow(start, memory, registryLookup(), { issue: (issue) => issues.push(issue) })];
  return { reached, issues };
}

const root = { layout: khoRootV4, address: BigInt(oracle.fdt_phys), length: 345 };
const { reached, issues } = reach(root);
const withLayout = (layout: Layout): Reached[] => reached.filter((each) => each.layout === layout);

describe('a captured handover of Linux 7.3.4', () => {
  it('breaks no rule', () => {
    expect(issues).toEqual([]);
  });

  it('has the subsystems, metadata and regions that the walker found', () => {
    const value = decode(khoRootV4, memory(root.address, root.length) ?? new Uint8Array());
    expect(value['preserved-memory-map']).toBe(BigInt(oracle.preserved_memory_map));
    expect(value.subtrees.map((each) => [each.$name, each['preserved-data'], each['blob-size']])).toEqual(
      oracle.subtrees.map(({ name, phys, size }) => [name, BigInt(phys), BigInt(size)]),
    );
    expect(withLayout(kexecMetadataV1).map((each) => each.value)).toEqual([oracle.kexec_metadata]);
    const [blob] = withLayout(memblockV1);
    expect(decode(memblockV1, blob?.bytes ?? new Uint8Array()).regions).toEqual(
      oracle.memblock.regions.map(({ name, start, size }) => ({
        $name: name,
        compatible: 'reserve-mem-v1',
        start: BigInt(start),
        size: BigInt(size),
      })),
    );
  });

  it('has the radix tree that the walker found', () => {
    const nodes = reached.filter((each) => each.path.includes('preserved-memory-map'));
    expect(nodes.map((each) => each.address)).toEqual(oracle.radix_nodes.map(([address]) => BigInt(address)));
    let bits = 0;
    for (const { layout, bytes } of nodes) {
      if (layout?.kind !== 'struct' || layout.name !== 'kho_radix_leaf') continue;
      for (const byte of bytes ?? []) for (let rest = byte; rest > 0; rest &= rest - 1) bits++;
    }
    expect(bits).toBe(oracle.preserved_count);
  });

  it('has the sessions and files that the walker found', () => {
    const [luo] = withLayout(luoV5);
    expect(luo?.value).toMatchObject({ compatible: 'luo-v5', sessions_pa: BigInt(oracle.luo.sessions_pa) });
    const sessions = withLayout(luoSessionBlock).flatMap(
      ({ bytes }) => decode(luoSessionBlock, bytes ?? new Uint8Array()).sessions,
    );
    expect(sessions).toEqual(
      oracle.luo.sessions.map(({ name, files_pa, count }) => ({
        name,
        files: BigInt(files_pa),
        count: BigInt(count),
      })),
    );
    const files = withLayout(luoFileBlock).flatMap(
      ({ bytes }) => decode(luoFileBlock, bytes ?? new Uint8Array()).files,
    );
    const expected = oracle.luo.sessions.flatMap((session) => session.files);
    expect(files).toEqual(
      expected.map(({ compatible, data, token }) => ({
        compatible,
        data: BigInt(data),
        token: BigInt(token),
      })),
    );
    expect(withLayout(luoFileBlock).length).toBeGreaterThan(
      oracle.luo.sessions.filter(({ count }) => count > 0).length,
    );
  });

  it('has the memfds and folios that the walker found', () => {
    const memfds = withLayout(memfdV2);
    const expected = oracle.luo.sessions.flatMap((session) => session.files.map((file) => file.memfd));
    expect(memfds.map(({ value }) => value)).toMatchObject(
      expected.map(({ pos, size, seals, nr_folios, vmalloc }) => ({
        pos: BigInt(pos),
        size: BigInt(size),
        seals,
        nr_folios: BigInt(nr_folios),
        folios: { first: BigInt(vmalloc.first) },
      })),
    );
    const folios = reached.filter((each) => each.pieces !== undefined).flatMap(({ value }) => value);
    expect(folios).toEqual(
      expected.flatMap((memfd) =>
        memfd.folios.map(([pfn, flags, index]) => ({ folio: { pfn, flags }, index: BigInt(index) })),
      ),
    );
  });

  it.skipIf(early === undefined)('has the scratch regions that the walker found', () => {
    const { scratch_addr, scratch_size } = oracle.setup_data;
    const there = early === undefined ? memory : memoryOf(early);
    const bytes = there(BigInt(scratch_addr), scratch_size) ?? new Uint8Array();
    expect(decode(khoScratchArray, bytes).map(({ addr, size }) => [addr, size])).toEqual(
      oracle.scratch.map((pair) => pair.map(BigInt)),
    );
  });

  it('is led to by setup_data with the fields that the kernel showed', () => {
    const { fdt_addr, fdt_size, scratch_addr, scratch_size } = oracle.setup_data;
    const addresses = { fdt_addr: BigInt(fdt_addr), scratch_addr: BigInt(scratch_addr) };
    const sizes = { fdt_size: BigInt(fdt_size), scratch_size: BigInt(scratch_size) };
    const bytes = encodeUnchecked(setupDataKho, { next: 0n, type: 10, len: 32, ...addresses, ...sizes });
    // /sys/kernel/boot_params/setup_data/1/data of the second kernel.
    const data = '00704b000000000000100000000000000000bf1e000000003000000000000000';
    expect(Buffer.from(bytes.subarray(16)).toString('hex')).toBe(data);
    expect(check(setupDataKho, bytes).issues).toEqual([]);
  });

  it('encodes to the captured bytes', () => {
    let bytes = 0;
    for (const { layout, value, bytes: captured, path, pieces } of reached) {
      if (layout === undefined || captured === undefined) continue;
      const blob = encodeUnchecked(layout, value);
      bytes += blob.length;
      expect(Buffer.from(blob).equals(captured), `${path}${pieces ? ' (gathered)' : ''}`).toBe(true);
    }
    expect(bytes).toBeGreaterThan(300_000);
  });

  it('leaves no byte of any consumer without a name', () => {
    for (const { layout, bytes, path } of reached) {
      if (layout === undefined || bytes === undefined) continue;
      const spans = spansOf(layout, bytes);
      expect(
        spans.filter((span) => span.unknown),
        path,
      ).toEqual([]);
      let at = 0;
      const contiguous = spans.every(({ offset, length }) => {
        const follows = offset === at;
        at += length;
        return follows;
      });
      expect(contiguous, path).toBe(true);
      expect(at, path).toBe(bytes.length);
    }
  });
});
