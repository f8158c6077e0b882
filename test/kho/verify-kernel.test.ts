// SPDX-License-Identifier: Apache-2.0
// What Linux 7.3.4 did with damaged handovers that it was given in a virtual machine (the table of damages beside the
// captures), and what a verification predicts of them.
import { describe, expect, it } from 'vitest';
import { FdtEditor } from '../../src/fdt/index.js';
import { Handover, type KernelEffect, verifyHandover } from '../../src/kho/index.js';
import { unreached } from '../../src/kho/rules/reachable.js';
import { AT, Damageable, file, session } from './captured-handover.js';

/** Sets the pointer to the map to 0. */
function clearMap(store: Damageable): void {
  const editor = FdtEditor.openInto(store.read(AT.root, 345), 4096);
  editor.setProperty(0, 'preserved-memory-map', new Uint8Array(8));
  store.write(AT.root, editor.pack());
}

function shrinkLuo(store: Damageable): void {
  const editor = FdtEditor.openInto(store.read(AT.root, 345), 4096);
  editor.setProperty(editor.nodeOffset('/LUO'), 'blob-size', Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0));
  store.write(AT.root, editor.pack());
}

/** Moves the last two sessions into a second block, which is preserved like the first. */
function splitSessions(store: Damageable, page = 0x90f000n): void {
  store.write(page, new Uint8Array(4096));
  store.write(page + 16n, store.read(session(2), 160));
  store.writeU64(page + 8n, 2n);
  store.writeU64(AT.sessions + 8n, 2n);
  store.writeU64(AT.sessions, page);
  store.write(session(2), new Uint8Array(160));
  store.setPreserved(Number(page >> 12n), true);
}

const TABLE: readonly (readonly [
  damage: string,
  outcome: KernelEffect,
  apply: (store: Damageable) => void,
])[] = [
  ['none', 'none', () => {}],
  ['sessions in two blocks', 'none', (s) => splitSessions(s)],
  ['root kho-v3', 'plain-boot', (s) => s.writeText(s.find(AT.root, 'kho-v4'), 'kho-v3')],
  ['FDT magic wrong', 'plain-boot', (s) => s.write(AT.root, Uint8Array.of(0))],
  ['map address 0', 'plain-boot', clearMap],
  ['luo-v4', 'panic', (s) => s.writeText(AT.luo, 'luo-v4')],
  ['LUO blob-size 16', 'panic', shrinkLuo],
  ['session block count 0', 'panic', (s) => s.writeU64(AT.sessions + 8n, 0n)],
  ['session block count 52', 'panic', (s) => s.writeU64(AT.sessions + 8n, 52n)],
  ['cyclic session chain', 'panic', (s) => s.writeU64(AT.sessions, AT.sessions)],
  ['session block count + 1', 'silent', (s) => s.writeU64(AT.sessions + 8n, 5n)],
  ['session block count + 2', 'open-fails', (s) => s.writeU64(AT.sessions + 8n, 6n)],
  ['session block count - 1', 'silent', (s) => s.writeU64(AT.sessions + 8n, 2n)],
  [
    'next of the first of two blocks zeroed',
    'silent',
    (s) => {
      splitSessions(s);
      s.writeU64(AT.sessions, 0n);
    },
  ],
  ['file count + 1', 'open-fails', (s) => s.writeU64(session(0) + 72n, 6n)],
  ['file count - 1', 'open-fails', (s) => s.writeU64(session(0) + 72n, 4n)],
  ['file block count + 1', 'open-fails', (s) => s.writeU64(AT.files + 8n, 6n)],
  ['file block count - 1', 'open-fails', (s) => s.writeU64(AT.files + 8n, 4n)],
  ['cyclic file chain', 'open-fails', (s) => s.writeU64(AT.moreFiles, AT.manyFiles)],
  ['unknown file handler', 'open-fails', (s) => s.writeText(file(AT.files, 0), 'floppy-v1', 48)],
  ['radix leaf lacks one memfd page', 'file-fails', (s) => s.setPreserved(5614, false)],
  ['radix pointer wild', 'oops', (s) => s.writeU64(AT.map + 8n, 0x1234_5678_9abcn)],
  ['radix pointer beyond RAM', 'oops', (s) => s.writeU64(AT.map + 8n, 0x8000_0000n)],
  ['memfd data pointer beyond RAM', 'oops', (s) => s.writeU64(file(AT.files, 0) + 48n, 0x8000_0000n)],
  ['session block not preserved', 'oops', (s) => s.setPreserved(Number(AT.sessions >> 12n), false)],
  ['radix root points to itself', 'hang', (s) => s.writeU64(AT.map + 8n, AT.map)],
];

/** Outcomes in which the kernel does not come up: one is as good as another, and an oops may leave it in a loop. */
const fatal = (effect: KernelEffect): KernelEffect =>
  effect === 'oops' || effect === 'panic' || effect === 'hang' ? 'panic' : effect;

/** Every page that is preserved and that nobody reaches. */
function unreachedPages(store: Damageable): bigint[] {
  const { preserved, reach } = Handover.open(store, { root: AT.root });
  const pages: bigint[] = [];
  if (preserved === undefined) return pages;
  unreached(preserved, reach, (pfn, count) => {
    for (let at = pfn; at < pfn + count; at++) pages.push(BigInt(at) << 12n);
  });
  return pages;
}

describe('what the kernel did', () => {
  it.each(TABLE)('%s: %s is predicted', (damage, outcome, apply) => {
    const store = new Damageable();
    apply(store);
    const { effect, findings } = verifyHandover(Handover.open(store, { root: AT.root }));
    expect(fatal(effect), findings.map(({ rule, message }) => `${rule}: ${message}`).join('\n')).toBe(
      fatal(outcome),
    );
    expect(findings.length > 0).toBe(outcome !== 'none');
    // Not a flood: what one damage does is told in a few lines.
    if (damage !== 'luo-v4') expect(findings.length).toBeLessThan(25);
  });

  it('loses sessions in silence: the pages that nobody reaches any more are named', () => {
    const store = new Damageable();
    store.writeU64(AT.sessions + 8n, 2n);
    const { findings } = verifyHandover(Handover.open(store, { root: AT.root }));
    const rules = new Set(findings.map(({ rule }) => rule));
    expect(rules).toEqual(new Set(['preserved-reached', 'luo-leftover', 'luo-flb-count']));
    expect(unreachedPages(store)).toContain(AT.manyFiles);
    expect(findings.find(({ rule }) => rule === 'luo-leftover')?.at.address).toBe(session(2));
  });

  it('says nothing of lost contents, and neither does a verification', () => {
    const store = new Damageable();
    store.drop(5614);
    expect(verifyHandover(Handover.open(store, { root: AT.root })).findings).toEqual([]);
  });
});
