// SPDX-License-Identifier: Apache-2.0
// Real boots. They take seconds each, so that they are a gate of their own: KHO_TRY=1 and KHO_KERNEL ask for them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openImage } from '../../src/image/index.js';
import { buildHandover, descriptionFromJson, Handover, migrateHandover } from '../../src/kho/index.js';
import {
  type Expected,
  expectedOf,
  expectedSessionsFromJson,
  readKernelFile,
  type TryOptions,
  type TryResult,
  tryImage,
} from '../../src/try/index.js';
import { capture, captureText, missingCaptures } from '../captures.js';
import { AT, Damageable, file, session } from '../kho/captured-handover.js';

const kernelFile = process.env['KHO_KERNEL'];
const missing =
  process.env['KHO_TRY'] === undefined
    ? 'KHO_TRY is not set'
    : kernelFile === undefined
      ? 'KHO_KERNEL is not set: no kernel to boot'
      : undefined;
if (missing !== undefined) console.log(`real boots are skipped: ${missing}`);
const kernel = missing === undefined ? readKernelFile(readFileSync(kernelFile ?? '')) : undefined;
const boots = describe.skipIf(kernel === undefined);
const MINUTES = 60_000;

async function boot(
  memory: Parameters<typeof tryImage>[0],
  options: Omit<TryOptions, 'kernel'> = {},
): Promise<TryResult> {
  if (kernel === undefined) throw new Error('no kernel');
  return await tryImage(memory, { kernel, ...options });
}

boots('a kernel restores', () => {
  it.skipIf(missingCaptures !== undefined)(
    'all of what another one captured, as the guest said it was',
    async () => {
      const image = openImage(capture('kho-luo/handover.elf'));
      const sessions = expectedSessionsFromJson(JSON.parse(captureText('kho-luo/truth.json')));
      expect(
        sessions.flatMap(({ files }) => files).filter(({ sha256 }) => sha256 !== undefined),
      ).toHaveLength(78);
      const result = await boot(image, { expected: { sessions } });
      expect(result).toMatchObject({
        outcome: 'complete',
        losses: [],
        release: expect.stringMatching(/^7\./),
      });
      expect(result.sessions).toEqual({ expected: 4, restored: 4 });
      expect(result.files).toEqual({ expected: 78, restored: 78 });
      expect(result.regions).toEqual({ expected: 2, restored: 2 });
      expect(result.subtrees).toEqual(['kexec-metadata', 'LUO', 'memblock']);
    },
    2 * MINUTES,
  );

  it.skipIf(missingCaptures !== undefined)(
    'what was migrated to 7.1 and back',
    async () => {
      const image = openImage(capture('kho-luo/handover.elf'));
      const older = migrateHandover(Handover.open(image), '7.1');
      const again = migrateHandover(Handover.open(older.memory), '7.3');
      const sessions = expectedSessionsFromJson(JSON.parse(captureText('kho-luo/truth.json')));
      const result = await boot(again.memory, { expected: { sessions } });
      expect(result).toMatchObject({ outcome: 'complete', losses: [] });
    },
    2 * MINUTES,
  );

  it(
    'what was built from a description',
    async () => {
      const path = join(import.meta.dirname, '..', '..', 'fixtures', 'made-up', 'vm.json');
      const built = buildHandover(descriptionFromJson(JSON.parse(readFileSync(path, 'utf8'))));
      const result = await boot(built.memory);
      expect(result).toMatchObject({ outcome: 'complete', losses: [], scratch: 'handover' });
      expect(result.files).toEqual({ expected: 5, restored: 5 });
      for (const { files } of result.expected.sessions)
        for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    },
    2 * MINUTES,
  );
});

/** What is done to the captured handover, and what becomes of it. */
const DAMAGES: readonly (readonly [
  what: string,
  damage: (memory: Damageable) => void,
  outcome: TryResult['outcome'],
  words: RegExp,
])[] = [
  [
    'a root of another version',
    (memory) => memory.writeText(memory.find(AT.root, 'kho-v4'), 'kho-v3'),
    'ignored',
    /^$/,
  ],
  ['no FDT magic', (memory) => memory.writeU32(AT.root, 0), 'ignored', /^$/],
  ['LUO of another version', (memory) => memory.writeText(AT.luo, 'luo-v4'), 'panic', /panic/],
  ['a block of no sessions', (memory) => memory.writeU64(AT.sessions + 8n, 0n), 'panic', /panic/],
  [
    'a session too many',
    (memory) => memory.writeU64(AT.sessions + 8n, 5n),
    'content-differs',
    /without a name/,
  ],
  [
    'two sessions too many',
    (memory) => memory.writeU64(AT.sessions + 8n, 6n),
    'sessions-lost',
    /liveupdate: EIO/,
  ],
  ['a session too few', (memory) => memory.writeU64(AT.sessions + 8n, 3n), 'sessions-lost', /ENOENT/],
  ['a file too many', (memory) => memory.writeU64(session(0) + 72n, 6n), 'sessions-lost', /liveupdate: EIO/],
  [
    'a handler that nobody knows',
    (memory) => memory.writeText(file(AT.files, 0), 'memfd-v9'),
    'sessions-lost',
    /EIO/,
  ],
  [
    'a page of a file that is not preserved',
    (memory) => memory.setPreserved(0x15ee, false),
    'restored-with-errors',
    /file 0x1: retrieving it: EIO/,
  ],
  [
    'a memfd beyond all memory',
    (memory) => memory.writeU64(file(AT.files, 0) + 48n, 1n << 40n),
    'panic',
    /BUG|Oops/,
  ],
  ['a map that leads to itself', (memory) => memory.writeU64(AT.map, AT.map), 'hang', /./],
];

boots('of a damaged handover a kernel makes', () => {
  const expected = (): Expected =>
    expectedOf(Handover.open(new Damageable()), { limit: 1n << 30n, absent: 'zeros' });

  it.each(DAMAGES)(
    '%s: what is known',
    async (_, damage, outcome, words) => {
      const memory = new Damageable();
      damage(memory);
      const result = await boot(memory, {
        handover: { root: AT.root },
        expected: expected(),
        timeout: outcome === 'hang' ? 4 : 30,
      });
      const told = [...result.lastWords, ...result.losses.map(({ what, message }) => `${what}: ${message}`)];
      expect(result.outcome, told.join('\n')).toBe(outcome);
      expect(told.join('\n')).toMatch(words);
    },
    5 * MINUTES,
  );
});
