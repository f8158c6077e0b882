// SPDX-License-Identifier: Apache-2.0
// What a real guest said of fixtures/made-up/vm.json (fixtures/try, see its line in fixtures/README.md), held against
// what the description gives.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildHandover, descriptionFromJson, Handover } from '../../src/kho/index.js';
import type { Expected } from '../../src/try/expected.js';
import { expectedOf } from '../../src/try/expected-of.js';
import type { GuestRun } from '../../src/try/guest-end.js';
import { initPlan } from '../../src/try/init-plan.js';
import { readReport } from '../../src/try/report.js';
import { judge } from '../../src/try/verdict.js';

const fixtures = join(import.meta.dirname, '..', '..', 'fixtures');
const text = (name: string): string => readFileSync(join(fixtures, name), 'utf8');
const built = buildHandover(descriptionFromJson(JSON.parse(text('made-up/vm.json'))));
const expected = expectedOf(Handover.open(built.memory), { limit: 1n << 30n, absent: 'unknown' });
const run: GuestRun = {
  end: 'done',
  console: text('try/console.txt'),
  report: text('try/report.txt'),
  seconds: 4,
};

/** What the guest said, without the line ends of a terminal. */
const said = run.report.replace(/\r/g, '');

/** What is judged of a run that said something else. */
const judged = (change: (report: string) => string, wanted: Expected = expected) =>
  judge(wanted, { ...run, report: change(said) });
const keep = (report: string): string => report;

describe('what a real guest said', () => {
  it('is complete: all hashes are those of the description', () => {
    expect(expected.sessions.flatMap(({ files }) => files).every(({ sha256 }) => sha256?.length === 64)).toBe(
      true,
    );
    const verdict = judge(expected, run);
    expect(verdict).toMatchObject({ outcome: 'complete', silent: false, losses: [], release: '7.3.4' });
    expect(verdict.sessions).toEqual({ expected: 4, restored: 4 });
    expect(verdict.files).toEqual({ expected: 5, restored: 5 });
    expect(verdict.regions).toEqual({ expected: 1, restored: 1 });
    expect(verdict.subtrees).toEqual(['kexec-metadata', 'LUO', 'memblock']);
  });

  it('was asked for by a plan with all names and tokens', () => {
    const lines = initPlan(expected, 0x1000_0000).trim().split('\n');
    expect(lines.filter((line) => line.startsWith('session'))).toHaveLength(4);
    expect(lines[0]).toBe(`session ${Buffer.from('vm-1').toString('hex')}`);
    expect(lines.slice(1, 3)).toEqual(['file 0 10000000', 'file 1 10000000']);
    expect(lines.at(-1)).toMatch(/^region [0-9a-f]+ 10000$/);
  });

  it.each([
    [
      'another hash',
      /^(file 0 0 .* )8/m,
      '$19',
      'content-differs',
      true,
      /file 0x0: expected SHA-256 8.*found 9/,
    ],
    [
      'another size',
      /^file 0 1 0 2710/m,
      'file 0 1 0 2711',
      'content-differs',
      true,
      /size 10000, found 10001/,
    ],
    [
      'a size beyond all memory',
      /^(file 0 1 0) 2710 6 4d 0 .*$/m,
      '$1 4000000000002710 6 4d 27 -',
      'content-differs',
      true,
      /size 10000, found 4611686018427397904/,
    ],
    [
      'other seals',
      /^file 0 1 0 2710 6/m,
      'file 0 1 0 2710 e',
      'content-differs',
      true,
      /seals 0x6, found 0xe/,
    ],
    ['another position', / 6 4d /m, ' 6 4e ', 'content-differs', true, /position 77, found 78/],
    [
      'a read that failed',
      /^(file 0 1 0 2710 6 4d) 0/m,
      '$1 5',
      'restored-with-errors',
      false,
      /reading it: EIO/,
    ],
    [
      'a file refused',
      /^file 0 1 0 .*$/m,
      'file 0 1 5',
      'restored-with-errors',
      false,
      /file 0x1: retrieving it: EIO/,
    ],
    [
      'a session that cannot be finished',
      /^finish 0 0/m,
      'finish 0 16',
      'restored-with-errors',
      false,
      /finishing it: EBUSY/,
    ],
    [
      'a session that is not there',
      /^session 3 0\n.*\nfinish.*$/m,
      'session 3 2',
      'sessions-lost',
      true,
      /"idle-2": retrieving it: ENOENT/,
    ],
    [
      'a device that cannot be opened',
      /^device 0[\s\S]*nameless 2\n/m,
      'device 5\n',
      'sessions-lost',
      false,
      /liveupdate: EIO/,
    ],
    [
      'another region',
      /^(region 0 0 )d/m,
      '$1e',
      'content-differs',
      true,
      /reserve_mem "trace0": expected SHA-256 d/,
    ],
    [
      'a nameless session',
      /^nameless 2/m,
      'nameless 0',
      'content-differs',
      true,
      /expected none without a name/,
    ],
  ] as const)('with %s is told so', (_, what, instead, outcome, silent, message) => {
    expect(said).toMatch(what);
    const verdict = judged((report) => report.replace(what, instead));
    expect(verdict.losses.map((loss) => `${loss.what}: ${loss.message}`).join('\n')).toMatch(message);
    expect(verdict).toMatchObject({ outcome, silent });
  });

  it('is ignored when the kernel found no handover, and a panic or a hang when it came to nothing', () => {
    const console = 'Linux version 7.3.4\n';
    const report = 'kho-try 1\nrelease 7.3.4\ndevice 0\nend\n';
    expect(judge(expected, { ...run, console, report }).outcome).toBe('ignored');
    const panicked = judge(expected, {
      ...run,
      end: 'panic',
      console: '[ 0.1] Kernel panic - not syncing: luo\x1b[2J\n',
      report: '',
    });
    expect(panicked).toMatchObject({
      outcome: 'panic',
      lastWords: ['Kernel panic - not syncing: luo\\x1b[2J'],
    });
    expect(judge(expected, { ...run, end: 'reset', console, report: '' }).lastWords).toEqual([
      'it started again without a word',
    ]);
    expect(judge(expected, { ...run, end: 'silence', console, report: '' }).outcome).toBe('hang');
    const oopsed = `${console}Oops: Oops: 0002 [#1] SMP\n`;
    expect(judge(expected, { ...run, end: 'silence', console: oopsed, report: '' }).outcome).toBe('panic');
  });

  it('without a word of the region means that it was not taken over', () => {
    const console = run.console.replace(/^Revived.*\n/m, '');
    expect(judge(expected, { ...run, console }).outcome).toBe('restored-with-errors');
  });

  it('lacks what is asked for and was never answered', () => {
    const more = { ...expected, sessions: [...expected.sessions, { name: 'more', files: [] }] };
    expect(judged(keep, more)).toMatchObject({
      outcome: 'sessions-lost',
      sessions: { expected: 5, restored: 4 },
    });
  });
});

describe('a report', () => {
  it('that was cut short, at any place, is read as far as it goes', () => {
    for (let length = 0; length < run.report.length; length += 97) {
      const report = readReport(run.report.slice(0, length));
      expect(report.ended).toBe(false);
      for (const { files } of report.sessions)
        for (const { sha256 } of files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});
