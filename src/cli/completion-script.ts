// SPDX-License-Identifier: Apache-2.0

/** The shells there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A command as completion knows it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** What its positionals can be, where that is not a file. */
  readonly words: readonly string[];
}

interface CompletedOption {
  readonly name: string;
  readonly letter: string | undefined;
  readonly describe: string;
  readonly choices: readonly string[];
  readonly takesValue: boolean;
}

const GLOBAL_OPTIONS: readonly CompletedOption[] = [
  {
    name: 'color',
    letter: undefined,
    describe: 'colour the output',
    choices: ['auto', 'always', 'never'],
    takesValue: true,
  },
  { name: 'help', letter: 'h', describe: 'show help', choices: [], takesValue: false },
];

/** The completion script of a shell. Made from the command table, so that it knows what `kho` knows. */
export function completionScript(
  shell: (typeof SHELLS)[number],
  commands: readonly CompletedCommand[],
): string {
  const all = commands.map((command) => ({ ...command, options: [...command.options, ...GLOBAL_OPTIONS] }));
  return { bash, zsh, fish }[shell](all);
}

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options, words }) => {
    const values = options
      .filter(({ choices }) => choices.length > 0)
      .map(({ name: option, choices }) => `        --${option}) words='${choices.join(' ')}' ;;`);
    const flags = options.flatMap(({ name: option, letter }) => [
      `--${option}`,
      ...(letter ? [`-${letter}`] : []),
    ]);
    return `    ${name})
      case $previous in
${values.join('\n')}
        *) [[ $current == -* ]] && words='${flags.join(' ')}' || words='${words.join(' ')}' ;;
      esac ;;`;
  });
  return `# bash completion of kho
_kho() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words=
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$current"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _kho kho
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => text.replace(/'/g, `'\\''`).replace(/[[\]:]/g, '\\$&');
  const describe = commands.map(({ name, summary }) => `    '${name}:${quote(summary)}'`);
  const cases = commands.map(({ name, options, words }) => {
    const specs = options.flatMap(({ name: option, letter, describe: text, choices, takesValue }) => {
      const value = takesValue
        ? `:${option}:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`
        : '';
      const spec = `'[${quote(text)}]${value}'`;
      return [`--${option}${spec}`, ...(letter === undefined ? [] : [`-${letter}${spec}`])];
    });
    const rest = words.length > 0 ? `'*:word:(${words.join(' ')})'` : `'*:file:_files'`;
    return `    ${name}) _arguments ${[...specs, rest].join(' ')} ;;`;
  });
  return `#compdef kho
_kho() {
  local -a commands=(
${describe.join('\n')}
  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  ((CURRENT--))
  case $command in
${cases.join('\n')}
  esac
}
# Autoloaded from fpath this file is the function itself; sourced it only defines it.
if [[ $funcstack[1] == _kho ]]; then _kho "$@"; else compdef _kho kho; fi
`;
}

function fish(commands: readonly CompletedCommand[]): string {
  const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
  const lines = commands.flatMap(({ name, summary, options, words }) => [
    `complete -c kho -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
    ...words.map((word) => `complete -c kho -n '__fish_seen_subcommand_from ${name}' -f -a ${word}`),
    ...options.map(({ name: option, letter, describe, choices, takesValue }) => {
      const parts = [`complete -c kho -n '__fish_seen_subcommand_from ${name}' -l ${option}`];
      if (letter !== undefined) parts.push(`-s ${letter}`);
      parts.push(`-d ${quote(describe)}`);
      if (choices.length > 0) parts.push(`-x -a ${quote(choices.join(' '))}`);
      else if (takesValue) parts.push('-r');
      return parts.join(' ');
    }),
  ]);
  return `# fish completion of kho\n${lines.join('\n')}\n`;
}
