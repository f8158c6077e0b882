// SPDX-License-Identifier: Apache-2.0
// In KHO's form of 2023 setup_data names the one scratch region itself, and kexec puts the tree into it.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PageStore } from '../../src/image/index.js';
import { buildHandover, descriptionFromJson, Handover, verifyHandover } from '../../src/kho/index.js';

const built = buildHandover(
  descriptionFromJson(
    JSON.parse(readFileSync(new URL('../../fixtures/made-up/rfc-as-posted.json', import.meta.url), 'utf8')),
  ),
);
const regions = built.scratch.map(({ start, size }) => ({ address: start, size }));
const { setupData } = built.boot ?? expect.fail('no boot data');

/** The handover with something else at an address, found by a search. */
function changed(address: bigint, bytes: readonly number[]): Handover {
  const store = new PageStore(built.memory);
  store.write(address, Uint8Array.from(bytes));
  return Handover.open(store);
}

const told = (handover: Handover): readonly string[] => [
  ...new Set(verifyHandover(handover).findings.map(({ rule }) => rule)),
];

/** What is wrong with what the patch wrote, as posted. */
const POSTED = ['rfc-mem-missing', 'rfc-mem-data'];

describe('the form of 2023', () => {
  it('has one region and a root within it', () => {
    const handover = Handover.open(built.memory);
    expect(handover.isForm2023).toBe(true);
    expect(handover.scratch).toMatchObject({ regions, issues: [] });
    expect(told(handover).filter((rule) => !rule.startsWith('rfc-mem'))).toEqual([]);
    expect(POSTED.some((rule) => told(handover).includes(rule))).toBe(true);
  });

  // `len` was 48: a bit flipped, and one that makes it the length of the later form.
  it.each([0x70, 0x20])('is told by its root, whatever the length of setup_data: 0x%x', (length) => {
    const handover = changed(setupData + 12n, [length]);
    expect(handover.setupData?.length).toBe(length);
    expect(handover.scratch).toMatchObject({ regions, issues: [] });
    expect(told(handover).filter((rule) => !rule.startsWith('rfc-mem'))).toEqual(['setup-data']);
  });

  it('is told by the length of setup_data where the root has no version that is known', () => {
    const at = Buffer.from(built.memory.read(built.root, 200)).indexOf('kho-v1', 0, 'latin1');
    const handover = changed(built.root + BigInt(at), [0x78]);
    expect(handover.root.identified).toBeUndefined();
    expect(handover.scratch).toMatchObject({ regions, issues: [] });
    expect(told(handover)).toEqual(['root-version']);
  });
});
