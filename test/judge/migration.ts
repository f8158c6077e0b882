// SPDX-License-Identifier: Apache-2.0
import { type ImageMemory, openImage } from '../../src/image/index.js';
import { Handover, migrateHandover } from '../../src/kho/index.js';
import { expectedSessionsFromJson } from '../../src/try/expected-json.js';
import { type Expected, type KernelFile, tryImage } from '../../src/try/index.js';
import { capture, captureText } from '../captures.js';
import type { Judged } from './judged.js';

/** What the captured handover is migrated to, one after the other, before it is booted. */
const ROUTES: readonly (readonly string[])[] = [[], ['7.1', '7.3'], ['7.0', '7.3'], ['6.19', '7.3']];
/** And before an older kernel gets it. */
const OLDER_ROUTES: readonly (readonly string[])[] = [[], ['7.2'], ['7.1', '7.2']];
/** Releases that keep no seals of memfds. */
const WITHOUT_SEALS: ReadonlySet<string> = new Set(['7.0', '6.19']);

/**
 * Gives the handover that was captured from Linux 7.3.4 to a kernel, migrated to other releases and back. What should come
 * back is what the guest itself wrote down before its kexec (truth.json). Needs KHO_CAPTURES.
 */
export async function* judgeMigration(
  kernel: KernelFile,
  older: KernelFile | undefined,
): AsyncGenerator<Judged> {
  const image = openImage(capture('kho-luo/handover.elf'));
  const sessions = expectedSessionsFromJson(JSON.parse(captureText('kho-luo/truth.json')));
  const tries: (readonly [readonly string[], KernelFile])[] = ROUTES.map((route) => [route, kernel]);
  if (older !== undefined) for (const route of OLDER_ROUTES) tries.push([route, older]);
  for (const [route, booted] of tries) {
    let memory: ImageMemory = image;
    for (const to of route) memory = migrateHandover(Handover.open(memory), to, { lossy: true }).memory;
    const sealsLost = route.some((to) => WITHOUT_SEALS.has(to));
    const result = await tryImage(memory, {
      kernel: booted,
      expected: { sessions: sealsLost ? withoutSeals(sessions) : sessions },
    });
    yield {
      name: ['7.3.4', ...route].join(' → '),
      what: `booted into ${booted.release.split(' ')[0]}${sealsLost ? ', which has seals lost on the way' : ''}`,
      good: result.outcome === 'complete',
      result,
    };
  }
}

function withoutSeals(sessions: Expected['sessions']): Expected['sessions'] {
  return sessions.map(({ name, files }) => ({ name, files: files.map((file) => ({ ...file, seals: 0 })) }));
}
