// SPDX-License-Identifier: Apache-2.0
// The whole memory of the guest that handed over, in every format: no finding, and its files are what the guest wrote.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openImage, type PhysicalMemory } from '../../src/image/index.js';
import { Handover, verifyHandover } from '../../src/kho/index.js';
import { capture, captureText, leftOutGuests } from '../captures.js';
import { expected, hex, told } from './told-handover.js';

if (leftOutGuests !== undefined) console.warn(`SKIP handovers in whole guests: ${leftOutGuests}`);

describe.skipIf(leftOutGuests !== undefined)('the handover of a whole guest', () => {
  it.each(['raw', 'elf', 'kdump', 'kdump-unflattened'])(
    'in format %s verifies without a finding, and its files are what the guest wrote',
    { timeout: 120_000 },
    (format) => {
      const truth = JSON.parse(captureText('kho-luo/truth.json'));
      const image = openImage(capture(`kho-luo/handover.${format}`));
      const handover = Handover.open(image);
      expect(told(handover)).toEqual(expected);
      const { findings, ran } = verifyHandover(handover);
      expect(findings).toEqual([]);
      expect(ran).toContain('reachable-ram');
      const found = handover.sessions.flatMap(({ name: session, files }) =>
        files.map((file) => ({
          session,
          token: hex(file.token),
          size: Number(file.size),
          sha256: contentHash(handover, file, image),
        })),
      );
      expect(found).toEqual(
        truth.memfds.map(({ session, token, size, sha256 }: Record<string, unknown>) => {
          return { session, token, size, sha256 };
        }),
      );
      image.close();
    },
  );
});

function contentHash(
  handover: Handover,
  file: Parameters<Handover['fileRuns']>[0],
  memory: PhysicalMemory,
): string {
  const hash = createHash('sha256');
  let left = Number(file.size);
  for (const { pfn, pages } of handover.fileRuns(file)) {
    const length = Math.min(left, pages * 4096);
    hash.update(memory.read(BigInt(pfn) * 4096n, length));
    left -= length;
  }
  return hash.digest('hex');
}
