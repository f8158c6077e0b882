// SPDX-License-Identifier: Apache-2.0
// Completion in the shells themselves: what each offers at a prompt.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/command-table.js';
import { SHELLS } from '../../src/cli/completion-script.js';
import { kho } from './kho.js';

const folder = mkdtempSync(join(tmpdir(), 'kho-completion-'));
const work = join(folder, 'work');
mkdirSync(work);
writeFileSync(join(work, 'a file.dtb'), '');

type Shell = (typeof SHELLS)[number];
const scripts = new Map(
  SHELLS.map((shell) => {
    const path = join(folder, `kho.${shell}`);
    writeFileSync(path, kho(['completion', shell]).stdout);
    return [shell, path];
  }),
);

/** Every line that is typed, followed by a tab. */
const LINES = [
  'kho ',
  'kho log ',
  'kho log show ',
  'kho dump --format ',
  'kho verify --rule map-n',
  'kho vtd diff x y --pa',
  'kho diff --pla',
  'kho compat ',
  'kho migrate --to 7.',
  'kho dump --format=',
  'kho dump --format=d',
] as const;
type Line = (typeof LINES)[number];
const END = '== end of an offer';

/** bash is asked through the variables that it has for completion. */
const BASH = `source "$1"; shift
for line; do
  read -ra COMP_WORDS <<< "\${line//=/ = }"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _kho
  printf '%s\\n' "\${COMPREPLY[@]}" '${END}'
done`;

const FISH = `source $argv[1]
for line in $argv[2..-1]; complete -C $line | string replace -r '\\t.*' ''; echo '${END}'; end`;

/** zsh completes in a pseudo terminal only: each line is typed there, then a tab, then a key that says that it is done. */
const ZSH = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1=; LISTMAX=10000; autoload -Uz compinit; compinit -u -D; source $1
compadd() { typeset -a found; [[ \\"\\$*\\" == *'-D '* || \\"\\$*\\" == *'-O '* ]] || { builtin compadd -A found \\"\\$@\\"; print -rl -- \\$found >> $2 }; builtin compadd \\"\\$@\\" }
offered() { print -r -- '${END}' >> $2; BUFFER=; print RE''ADY }; zle -N offered; bindkey '^X' offered
print RE''ADY"
zpty -r z ignored '*READY*'
for line in "\${@:3}"; do zpty -w -n z "$line"$'\\t\\x18'; zpty -r z ignored '*READY*'; done
zpty -d z`;

const run = (program: string, args: readonly string[]): string =>
  spawnSync(program, args, { encoding: 'utf8', cwd: work, env: { ...process.env, HOME: folder } }).stdout ??
  '';

/** What a shell offers for each line, sorted. */
function offersOf(shell: Shell): ReadonlyMap<Line, readonly string[]> {
  const script = scripts.get(shell) ?? '';
  const listed = join(folder, 'zsh.out');
  writeFileSync(listed, '');
  const printed = {
    bash: () => run('bash', ['-c', BASH, 'bash', script, ...LINES]),
    fish: () => run('fish', ['--no-config', '-c', FISH, script, ...LINES]),
    zsh: () => {
      run('zsh', ['-f', '-c', ZSH, 'zsh', script, listed, ...LINES]);
      return readFileSync(listed, 'utf8');
    },
  }[shell]();
  const offers = printed.split(`${END}\n`);
  return new Map(
    LINES.map((line, index) => {
      const words = (offers[index] ?? '').split('\n').filter((word) => word !== '');
      return [line, [...new Set(words.map((word) => word.replace(/=$/, '')))].sort()];
    }),
  );
}

const installed = (shell: Shell): boolean => spawnSync(shell, ['-c', ':']).status === 0;

describe.each(SHELLS)('completion in %s', (shell) => {
  const there = installed(shell);
  if (!there) console.warn(`SKIP completion in ${shell}: it is not installed`);
  const test = it.skipIf(!there);
  const offers = there ? offersOf(shell) : new Map<Line, readonly string[]>();
  const offered = (line: Line): readonly string[] => offers.get(line) ?? [];

  test('knows every command', () => {
    expect(offered('kho ')).toEqual(expect.arrayContaining(COMMANDS.map(({ name }) => name)));
  });

  test('tells an action from a file behind it', () => {
    expect(offered('kho log ')).toEqual(['convert', 'diff', 'minimise', 'replay', 'show']);
    expect(offered('kho log show ').map((name) => name.replaceAll('\\', ''))).toEqual(['a file.dtb']);
  });

  test('knows the values of an option', () => {
    expect(offered('kho dump --format ')).toEqual(['dts', 'hex', 'json', 'tree']);
    expect(offered('kho verify --rule map-n')).toEqual(['map-nodes', 'map-nodes-scratch']);
  });

  test('offers options where they are asked for, of that command alone', () => {
    // diff is an action of vtd and a command, too.
    expect(offered('kho vtd diff x y --pa')).toEqual(['--pasid']);
    expect(offered('kho diff --pla')).toEqual(['--placement']);
  });

  test('offers releases and files where both may stand', () => {
    expect(offered('kho compat ')).toEqual(expect.arrayContaining(['6.19', '7.3']));
    expect(offered('kho compat ').some((word) => word.startsWith('a'))).toBe(true);
    expect(offered('kho migrate --to 7.')).toEqual(['7.0', '7.1', '7.2', '7.3']);
  });

  test('completes behind an equals sign', () => {
    const value = (line: Line): readonly string[] =>
      offered(line).map((word) => word.replace(/^--format=/, ''));
    expect(value('kho dump --format=')).toEqual(['dts', 'hex', 'json', 'tree']);
    expect(value('kho dump --format=d')).toEqual(['dts']);
  });
});
