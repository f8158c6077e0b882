// SPDX-License-Identifier: Apache-2.0
// The man pages that the build writes: mandoc and groff take them, and they say what --help says.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { roffText } from '../../src/render/man-page.js';
import { kho } from './kho.js';

const folder = join(import.meta.dirname, '..', '..', 'dist', 'man');
const pages = readdirSync(folder).sort();
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;

/** Text for a terminal without the letters that are struck over to make others bold. */
const withoutOverstrike = (text: string): string =>
  text
    .split('\b')
    .map((part, index, parts) => (index < parts.length - 1 ? part.slice(0, -1) : part))
    .join('');

/** What a reader sees, in one line, without overstriking. */
function shown(page: string): string {
  const { stdout } = spawnSync('mandoc', ['-T', 'utf8', '-O', 'width=1000', join(folder, page)], {
    encoding: 'utf8',
  });
  return withoutOverstrike(stdout).replace(/\s+/g, ' ');
}

const hasMandoc = has('mandoc');
if (!hasMandoc) console.warn('SKIP man pages under mandoc: it is not installed');

describe('the man pages', () => {
  it('are one for kho and one for each command, those that a command is made up of included', async () => {
    const names = await Promise.all(
      COMMANDS.map(async ({ name, parts }) => {
        const below = (await parts?.()) ?? [];
        return [name, ...below.map((part) => `${name}-${part.name}`)];
      }),
    );
    expect(pages).toEqual(['kho.1', ...names.flat().map((name) => `kho-${name}.1`)].sort());
  });

  it('have no line that roff would take for something else', () => {
    for (const page of pages) {
      for (const line of readFileSync(join(folder, page), 'utf8').split('\n')) {
        expect(line).toMatch(/^(\.(\\"|TH|SH|TP|PP|B|BR|I)( |$)|[^.'])|^$/);
        expect(line).toMatch(/^[\x20-\x7e]*$/);
      }
    }
  });

  it.skipIf(!hasMandoc)('pass mandoc without a warning', () => {
    const { status, stdout, stderr } = spawnSync(
      'mandoc',
      ['-T', 'lint', '-W', 'warning', ...pages.map((page) => join(folder, page))],
      { encoding: 'utf8' },
    );
    expect({ status, output: stdout + stderr }).toEqual({ status: 0, output: '' });
  });

  it.skipIf(!hasMandoc).each(['verify', 'vtd', 'compile', 'log', 'fuzz-run'])(
    'say of kho %s what --help says',
    (name) => {
      const text = shown(`kho-${name}.1`);
      const help = kho([...name.split('-'), '--help']).stdout;
      const words = (from: string): string[] => [...new Set(from.match(/(?<= )--?[a-zA-Z][\w-]*/g))].sort();
      expect(words(text)).toEqual(words(help));
      for (const [, line = ''] of help.matchAll(/^ {2}(kho .*?) +# /gm)) expect(text).toContain(line);
    },
  );

  it.skipIf(!hasMandoc)('say of kho what kho --help says', () => {
    const text = shown('kho.1');
    const help = kho(['--help']).stdout;
    for (const { name, summary } of COMMANDS) {
      expect(help).toContain(summary);
      expect(text).toContain(`kho-${name} `);
    }
    expect(text).toContain('kho - look at, check and compare Linux Kexec HandOver (KHO) state');
  });
});

describe('roffText', () => {
  it('leaves nothing to roff', () => {
    expect(roffText('.TH \\fB "x" -- it\'s\n~5% `a^b` …')).toBe(
      '\\&.TH \\efB \\(dqx\\(dq \\-\\- it\\(aqs \\(ti5% \\(gaa\\(hab\\(ga \\[u2026]',
    );
  });

  it.skipIf(!hasMandoc)('comes out as it went in', () => {
    const text = '.de \\n(.x \\- \'a\' "b" `c` ~d ^e — f\\';
    const page = `.TH X 1 2026-11-23\n.SH NAME\nx \\- y\n.SH DESCRIPTION\n${roffText(text)}\n`;
    const { stdout } = spawnSync('mandoc', ['-T', 'utf8'], { input: page, encoding: 'utf8' });
    expect(withoutOverstrike(stdout)).toContain(text);
  });
});

describe('package.json', () => {
  it('names every man page, so that npm installs them', () => {
    const { man } = JSON.parse(readFileSync(join(folder, '..', '..', 'package.json'), 'utf8'));
    expect(man).toEqual(pages.map((page) => `./dist/man/${page}`));
  });
});
