// SPDX-License-Identifier: Apache-2.0
import { KhoError } from '../bytes/issue.js';
import { escapeText } from '../bytes/printable.js';

const GENERAL_HELP = 'kho --help';

/** The command line asks for something that does not make sense. */
export class UsageError extends Error {
  /** The command line that helps. */
  readonly help: string;

  constructor(message: string, help: string = GENERAL_HELP) {
    super(message);
    this.help = help;
  }

  /** The same with the help of a command, where it names none that helps more. */
  of(command: string): UsageError {
    return this.help === GENERAL_HELP ? new UsageError(this.message, `kho ${command} --help`) : this;
  }
}

/** Something is wrong with a file: what it is called on the command line, and what. */
export class FileError extends Error {
  constructor(file: string, cause: unknown) {
    super(`${file === '-' ? 'stdin' : file}: ${causeText(cause)}`, { cause });
  }
}

/** Runs `action`; what is wrong with the input is thrown on with the file's name. */
export function inFile<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof KhoError || isSystemError(error)) throw new FileError(file, error);
    throw error;
  }
}

/** The one line for stderr that tells an error, without the program's name. */
export function failureLine(error: unknown): string {
  if (error instanceof UsageError) return `${escapeText(error.message)} (see ${error.help})`;
  if (error instanceof FileError || error instanceof KhoError || isSystemError(error))
    return escapeText(error.message);
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const [firstLine = ''] = text.split('\n');
  return `unexpected ${escapeText(firstLine)}; set KHO_DEBUG=1 for details`;
}

/** True for an error of the operating system with this code, or with any. */
export function isSystemError(error: unknown, code?: string): error is NodeJS.ErrnoException {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return false;
  return code === undefined || error.code === code;
}

// Node's own texts read "ENOENT: no such file or directory, open 'x'"; the name is said already.
function causeText(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return isSystemError(cause) ? cause.message.replace(/, \w+( '.*)?$/s, '') : cause.message;
}
