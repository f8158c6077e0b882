// SPDX-License-Identifier: Apache-2.0
// What sanitizers, language run-times and kernels print when a program is at its end, whatever it exits with.

/** Longer lines are looked at up to here. */
const LONGEST_LINE = 4096;
/** Names of crashes are cut here: they group cases. */
const LONGEST_NAME = 160;

interface ReportForm {
  readonly pattern: RegExp;
  /** What to call it, of the match; without addresses, process ids and folders, so that the same crash has one name. */
  readonly name: (match: RegExpExecArray) => string;
  /** Reports of a higher rank say more: they replace what was found before. */
  readonly rank: number;
}

const text =
  (prefix: string) =>
  (match: RegExpExecArray): string =>
    `${prefix}${match[1] ?? ''}`;

// A line starts with the report, but for the prefix that a kernel's console or a process id gives it.
const FORMS: readonly ReportForm[] = [
  { pattern: /^SUMMARY: (\w*Sanitizer: .*)/, name: text(''), rank: 3 },
  { pattern: /\bBUG: (K\w+: [\w -]+ in \S+)/, name: text(''), rank: 3 },
  { pattern: /\b((?:Address|HWAddress|Memory|Thread|Leak)Sanitizer: [\w-]+)/, name: text(''), rank: 2 },
  { pattern: /^\S*?([^/\s]+:\d+):\d+: runtime error: .*/, name: text('undefined behaviour at '), rank: 2 },
  { pattern: /\bUBSAN: (.+)/, name: text('UBSAN: '), rank: 2 },
  { pattern: /\bkernel BUG at (\S+?)!?$/, name: text('kernel BUG at '), rank: 2 },
  { pattern: /\b(BUG: .+)/, name: text(''), rank: 2 },
  { pattern: /\b(Oops: .+)/, name: text(''), rank: 1 },
  { pattern: /\b(Kernel panic - not syncing: .+)/, name: text(''), rank: 1 },
  { pattern: /^thread '.*' (?:\(\d+\) )?panicked at (\S+:\d+):\d+/, name: text('panic at '), rank: 2 },
  { pattern: /^panic: (.+)/, name: text('panic: '), rank: 2 },
  { pattern: /^fatal error: (.+)/, name: text('fatal error: '), rank: 1 },
  { pattern: /^Traceback \(most recent call last\)/, name: () => 'Python traceback', rank: 1 },
  { pattern: /(Assertion `.*' failed)/, name: text(''), rank: 1 },
  {
    pattern: /^((?:free|malloc|realloc|munmap_chunk|corrupted|double free).*)/,
    name: text('heap: '),
    rank: 1,
  },
  { pattern: /^\*\*\* (.* detected) \*\*\*/, name: text(''), rank: 1 },
];

/** Ways to say that there was no memory. */
const OUT_OF_MEMORY =
  /annot allocate memory|[Oo]ut of memory|out-of-memory|bad_alloc|memory allocation of \d+ bytes failed|MemoryError|memory exhausted|rss limit exhausted|ENOMEM/;

/** What none of the above does without: most output is passed over in one go. */
const HINT =
  /Sanitizer|BUG|UBSAN|runtime error|Oops|anic|fatal error|Traceback|Assertion|free|alloc|chunk|corrupted|detected|memory|Memory|rss limit|ENOMEM/;

/** Reads what a program prints, piece by piece, for a report of a crash. */
export class CrashReportScanner {
  #line = '';
  #rank = 0;
  #report: string | undefined;
  #outOfMemory = false;

  /** The report that says most, `AddressSanitizer: heap-buffer-overflow a.c:7 in f`; `undefined` without one. */
  get report(): string | undefined {
    return this.#report;
  }

  /** Whether it said that there was no memory. */
  get outOfMemory(): boolean {
    return this.#outOfMemory;
  }

  /** Takes the next piece of the output, a character a byte. */
  push(piece: string): void {
    const text = this.#line + piece;
    const end = text.lastIndexOf('\n');
    this.#line = text.slice(end + 1, end + 1 + LONGEST_LINE);
    if (end < 0 || !HINT.test(text)) return;
    for (const line of text.slice(0, end).split('\n')) this.#judge(line.slice(0, LONGEST_LINE));
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#judge(this.#line);
    this.#line = '';
  }

  #judge(line: string): void {
    if (!this.#outOfMemory) this.#outOfMemory = OUT_OF_MEMORY.test(line);
    for (const { pattern, name, rank } of FORMS) {
      if (rank <= this.#rank) continue;
      const match = pattern.exec(line);
      if (match === null) continue;
      this.#report = tidy(name(match));
      this.#rank = rank;
      return;
    }
  }
}

/** Without what differs from run to run: addresses, offsets, folders, build ids, counts of bytes. */
function tidy(name: string): string {
  return name
    .replace(/ ?\(BuildId: \w+\)/g, '')
    .replace(/\+?0x[0-9a-f]+(?:\/0x[0-9a-f]+)?/gi, '')
    .replace(/\(?\S*\/([^/\s]+)/g, '$1')
    .replace(/\d+ byte\(s\) leaked in \d+ allocation\(s\)/, 'memory leaked')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim()
    .slice(0, LONGEST_NAME);
}
