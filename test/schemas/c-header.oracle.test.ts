// SPDX-License-Identifier: Apache-2.0
// gcc agrees with every declared struct: the derived headers assert sizes and offsets, and the compiler checks them.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  bits,
  cHeader,
  families,
  part,
  struct,
  u8,
  u32,
  u64,
  union,
  versionName,
} from '../../src/schemas/index.js';

const build = join(import.meta.dirname, '..', '..', 'build', 'headers');
mkdirSync(build, { recursive: true });
const hasGcc =
  spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0 &&
  existsSync('/usr/include/linux/types.h');
if (!hasGcc) console.warn('SKIP derived C headers: gcc or linux/types.h is not installed');

/** What gcc says about sources, '' when it accepts them. */
function complaints(...sources: string[]): string {
  const { status, stderr } = spawnSync(
    'gcc',
    ['-std=gnu11', '-Wall', '-Werror', '-fsyntax-only', ...sources],
    {
      encoding: 'utf8',
    },
  );
  return status === 0 ? '' : stderr;
}

function write(name: string, text: string): string {
  const path = join(build, name);
  writeFileSync(path, text);
  return path;
}

describe('derived C headers', () => {
  const headers = families.flatMap(({ versions }) =>
    versions.map((version) => {
      const guard = versionName(version)
        .replaceAll(/[^a-zA-Z0-9]/g, '_')
        .toUpperCase();
      return { guard, text: cHeader(version.layout, `KHO_${guard}_H`) };
    }),
  );

  it.skipIf(!hasGcc)('are accepted by gcc, sizes and offsets included', () => {
    const sources = headers.map(({ guard, text }) => write(`${guard}.c`, text));
    expect(complaints(...sources)).toBe('');
    expect(headers.filter(({ text }) => text.includes('offsetof')).length).toBeGreaterThan(8);
  });

  it.skipIf(!hasGcc)('would be refused if an offset or a size were wrong', () => {
    const luo = headers.find(({ guard }) => guard === 'LUO_V5')?.text ?? '';
    expect(luo).toContain('offsetof(struct luo_ser, flbs_pa) == 24');
    expect(complaints(write('wrong-offset.c', luo.replace('flbs_pa) == 24', 'flbs_pa) == 23')))).toContain(
      'luo_ser.flbs_pa',
    );
    expect(
      complaints(
        write('wrong-size.c', luo.replace('sizeof(struct luo_ser) == 32', 'sizeof(struct luo_ser) == 40')),
      ),
    ).toContain('luo_ser');
  });

  it.skipIf(!hasGcc)('hold for unions, bit fields of one byte and structs that are not packed', () => {
    const inner = struct('inner', { a: u64(), b: u32(), c: u32() }, { packed: false });
    const odd = struct('odd', {
      count: u32(),
      state: bits(8, { deleted: part(1), incoming: part(1), rest: part(6) }),
      type: u64(),
      data: union(
        'type',
        { one: { when: 1, type: inner }, two: { when: 2, type: struct('two', { x: u8() }) } },
        { size: 24 },
      ),
    });
    expect(complaints(write('odd.c', cHeader(odd, 'ODD_H')))).toBe('');
  });

  it('show the struct as the kernel writes it', () => {
    const memfd = headers.find(({ guard }) => guard === 'MEMFD_V2')?.text ?? '';
    expect(memfd).toContain('\t__u64 pfn : 52; /* page frame number of the folio */\n\t__u64 flags : 12;');
    expect(memfd).toContain('struct kho_vmalloc folios;');
  });
});
