// SPDX-License-Identifier: Apache-2.0
// The program that a command line has after `--`, and what identifies it.
import { createHash } from 'node:crypto';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { FileError, inFile, UsageError } from './failure.js';

/** Stands for the path of the case in an argument. */
const PLACE = '{}';
/** Stands for the path of the description of address spaces that a case comes with. */
const AREAS_PLACE = '{areas}';
/** Files above this size are told apart by size and time of change. */
const MAX_HASHED = 256 * 2 ** 20;

/** A program to run on cases. */
export interface ProgramLine {
  /** As it was given. */
  readonly words: readonly string[];
  /** Path of the program. */
  readonly program: string;
  /** The arguments; none of them need have a `{}`. */
  readonly args: readonly string[];
  /** SHA-256 in hex over the words, the folder they are run in, the program, and files among the arguments. */
  readonly hash: string;
  /** Whether a sanitizer was built in, which reserves terabytes of address space. */
  readonly sanitized: boolean;
}

/**
 * Takes a program line.
 *
 * @param given - what stands after `--`
 * @throws UsageError without a program; FileError for one that is not there or cannot be run
 */
export function readProgramLine(given: unknown): ProgramLine {
  const words = Array.isArray(given) ? given.map(String) : [];
  const [name, ...args] = words;
  if (name === undefined) throw new UsageError('a program is needed after "--": kho fuzz run … -- CMD {}');
  const program = findProgram(name);
  const hash = createHash('sha256').update(JSON.stringify([words, process.cwd()]));
  const bytes = identify(hash, program);
  for (const arg of args) if (isFile(arg)) identify(hash, arg);
  const sanitized =
    bytes !== undefined &&
    ['__asan_init', '__tsan_init', '__msan_init'].some((symbol) => bytes.includes(symbol));
  return { words, program, args, hash: hash.digest('hex'), sanitized };
}

/** A case as a program gets it. */
export interface GivenCase {
  /** Its absolute path. */
  readonly path: string;
  /** That of the description of address spaces that it comes with. */
  readonly areas?: string | undefined;
}

/**
 * The arguments for a case: `{}` replaced wherever it stands, the path put last where it stands nowhere. Words with
 * `{areas}` are left out for a case without a description of address spaces.
 */
export function argumentsFor({ args }: ProgramLine, { path, areas }: GivenCase): string[] {
  const words = args.some((arg) => arg.includes(PLACE)) ? args : [...args, PLACE];
  return words
    .filter((word) => areas !== undefined || !word.includes(AREAS_PLACE))
    .map((word) => word.replace(/\{(areas)?\}/g, (_, name) => (name === undefined ? path : (areas ?? ''))));
}

/** Adds what a file is to a hash. @returns its bytes, where they were read */
function identify(hash: ReturnType<typeof createHash>, path: string): Buffer | undefined {
  const { size, mtimeMs } = inFile(path, () => statSync(path));
  if (size > MAX_HASHED) {
    hash.update(`${path} ${size} ${mtimeMs}`);
    return undefined;
  }
  const bytes = inFile(path, () => readFileSync(path));
  hash.update(createHash('sha256').update(bytes).digest());
  return bytes;
}

function isFile(path: string): boolean {
  return path !== '' && !path.includes('\0') && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** What a shell would run. */
function findProgram(name: string): string {
  if (name.includes('\0') || name === '')
    throw new UsageError('the name of a program is expected after "--"');
  const places = name.includes('/')
    ? [resolve(name)]
    : (process.env['PATH'] ?? '')
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, name));
  const found = places.find(canRun);
  if (found !== undefined) return found;
  throw new FileError(name, new Error(places.some(isFile) ? 'not executable' : 'no such program'));
}
