// SPDX-License-Identifier: Apache-2.0
// Completion scripts of three shells, made from the command table, so that they know what `kho` knows.

/** The shells there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A command as completion knows it. */
export interface CompletedCommand {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** In their order. */
  readonly positionals: readonly CompletedPositional[];
}

/** What may stand at a place of the command line. */
interface CompletedPositional {
  readonly name: string;
  /** Words it can be. */
  readonly words: readonly string[];
  /** Whether it can be a file. */
  readonly files: boolean;
  /** Whether it may be followed by more of its kind; the last positional only. */
  readonly many: boolean;
}

interface CompletedOption {
  readonly name: string;
  readonly letter: string | undefined;
  readonly describe: string;
  /** Words its value can be; where there are none, a file. */
  readonly words: readonly string[];
  readonly takesValue: boolean;
  readonly repeatable: boolean;
}

/** The completion script of a shell. */
export function completionScript(
  shell: (typeof SHELLS)[number],
  commands: readonly CompletedCommand[],
): string {
  return { bash, zsh, fish }[shell](commands);
}

/** Spellings of an option. */
function spellings({ name, letter }: CompletedOption): readonly string[] {
  return letter === undefined ? [`--${name}`] : [`--${name}`, `-${letter}`];
}

function valued(options: readonly CompletedOption[]): readonly string[] {
  return options.filter(({ takesValue }) => takesValue).flatMap(spellings);
}

/** Shells split at white space, and quote with an apostrophe. */
const shellQuote = (text: string): string => `'${text.replace(/'/g, `'\\''`)}'`;

function bash(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, options, positionals }) => {
    const values = options
      .filter(({ words }) => words.length > 0)
      .map(
        (option) =>
          `        ${spellings(option).join('|')}) words=${shellQuote(option.words.join(' '))} files= ;;`,
      );
    const others = valued(options.filter(({ words }) => words.length === 0));
    if (others.length > 0) values.push(`        ${others.join('|')}) ;;`);
    const places = positionals.map(({ words, files, many }, index) => {
      const pattern = many ? '*' : String(index);
      return `          ${pattern}) words=${shellQuote(words.join(' '))} files=${files ? 'yes' : ''} ;;`;
    });
    return `    ${name})
      valued=' ${valued(options).join(' ')} '
      _kho_place
      case $previous in
${values.join('\n')}
        *) if [[ $current == -* ]]; then
          words=${shellQuote(options.flatMap(spellings).join(' '))} files=
        else case $place in
${[...places, ...(positionals.at(-1)?.many === true ? [] : ['          *) files= ;;'])].join('\n')}
        esac; fi ;;
      esac ;;`;
  });
  return `# bash completion of kho
# How many words before the current one are neither options nor their values.
_kho_place() {
  local i word skip=
  place=0
  for ((i = 2; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == '=' ]]; then skip=yes
    elif [[ -n $skip ]]; then skip=
    elif [[ $word == -?* ]]; then [[ $valued == *" $word "* ]] && skip=yes
    else ((++place)); fi
  done
}
_kho() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} words= files=yes valued= place=0
  # bash makes three words of --option=value.
  if [[ $current == '=' ]]; then current=
  elif [[ $previous == '=' ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}; fi
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    words=${shellQuote([...commands.map(({ name }) => name), '--help', '--version'].join(' '))} files=
  else case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac; fi
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$current"
    [[ -z $files ]] || compgen -f -- "$current"
  )
  [[ -z $files ]] || compopt -o filenames 2> /dev/null
}
complete -F _kho kho
`;
}

function zsh(commands: readonly CompletedCommand[]): string {
  /** Inside of brackets, or of a field that ends with a colon. */
  const guard = (text: string): string => text.replace(/[\\[\]:]/g, '\\$&');
  const describe = commands.map(({ name, summary }) => {
    return `    ${shellQuote(`${name}:${summary.replaceAll(':', '\\:')}`)}`;
  });
  const list = (words: readonly string[]): string => `(${words.map(guard).join(' ')})`;
  const cases = commands.map(({ name, options, positionals }) => {
    const specs = options.flatMap((option) => {
      const value = option.takesValue
        ? `:${option.name}:${option.words.length > 0 ? list(option.words) : '_files'}`
        : '';
      const spec = (spelling: string): string => {
        // An equals sign: the value may follow one, or be the next word.
        const equals = option.takesValue && spelling.startsWith('--') ? '=' : '';
        return `${spelling}${equals}[${guard(option.describe)}]${value}`;
      };
      const names = spellings(option);
      const before = option.repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : '';
      return names.map((each) => shellQuote(`${before}${spec(each)}`));
    });
    const places = positionals.map(({ name: each, words, files, many }, index) => {
      const both = `{_alternative "words:${each}:${list(words)}" "files:file:_files"}`;
      const action = words.length === 0 ? '_files' : files ? both : list(words);
      return shellQuote(`${many ? '*' : index + 1}:${each}:${action}`);
    });
    return `    ${name}) _arguments ${[...specs, ...places].join(' ')} ;;`;
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
  const lines = commands.flatMap(({ name, summary, options, positionals }) => {
    const skipped = valued(options).join(' ');
    return [
      `complete -c kho -n __kho_no_command -f -a ${name} -d ${quote(summary)}`,
      ...positionals.flatMap(({ words, files, many }, index) => {
        const place = quote(`__kho_at ${name} ${index} ${many ? 'many' : 'one'} ${skipped}`);
        if (words.length === 0) return [];
        return [`complete -c kho -n ${place}${files ? '' : ' -f'} -a ${quote(words.join(' '))}`];
      }),
      ...options.map((option) => {
        const parts = [`complete -c kho -n '__kho_is ${name}' -l ${option.name}`];
        if (option.letter !== undefined) parts.push(`-s ${option.letter}`);
        parts.push(`-d ${quote(option.describe)}`);
        if (option.words.length > 0) parts.push(`-x -a ${quote(option.words.join(' '))}`);
        else if (option.takesValue) parts.push('-r');
        return parts.join(' ');
      }),
    ];
  });
  return `# fish completion of kho
function __kho_no_command
    test (count (commandline -opc)) -eq 1
end
function __kho_is
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = $argv[1]
end
# Whether a command's positional of some number is to come: command, number, one or many, options that take a value.
function __kho_at
    __kho_is $argv[1]; or return 1
    set -l place 0
    set -l skip no
    for word in (commandline -opc)[3..-1]
        if test $skip = yes
            set skip no
        else if string match -q -- '-?*' $word
            contains -- $word $argv[4..-1]; and set skip yes
        else
            set place (math $place + 1)
        end
    end
    test $place -eq $argv[2]; or begin
        test $argv[3] = many; and test $place -gt $argv[2]
    end
end
${lines.join('\n')}
`;
}
