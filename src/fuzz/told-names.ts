// SPDX-License-Identifier: Apache-2.0

/** Colours and such in what is printed to terminals. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: an escape sequence begins with one
const ESCAPES = /\x1b\[[0-9;]*m/g;
/** Longer sequences are not put together from two pieces. */
const LONGEST_ESCAPE = 16;
const IN_NAME = /[\w-]/;

/** Stands for the name in the text that tells one. */
export const NAME_PLACE = '{}';

/** Finds names of rules and codes in an output of any length that comes in pieces. */
export class ToldNames {
  /** What tells each name. */
  readonly #sought: Map<string, string>;
  readonly #found = new Set<string>();
  readonly #keep: number;
  #text = '';

  /** @param text - that tells a name, where {@link NAME_PLACE} stands; a name at an end of it must be a whole word */
  constructor(names: readonly string[], text: string = NAME_PLACE) {
    this.#sought = new Map(names.map((name) => [name, text.replaceAll(NAME_PLACE, name)]));
    this.#keep = Math.max(0, ...[...this.#sought.values()].map(({ length }) => length)) + 1 + LONGEST_ESCAPE;
  }

  /** Those that came. */
  get found(): ReadonlySet<string> {
    return this.#found;
  }

  /** Takes the next piece of the output. */
  push(piece: string): void {
    if (this.#sought.size === 0) return;
    const text = (this.#text + piece).replace(ESCAPES, '');
    // What may go on in the next piece has not ended.
    this.#look(text, text.length - 1);
    this.#text = text.slice(-this.#keep);
  }

  /** Says that nothing more comes. */
  end(): void {
    this.#look(this.#text, this.#text.length);
    this.#text = '';
  }

  #look(text: string, last: number): void {
    for (const [name, telling] of this.#sought) {
      for (let at = text.indexOf(telling); at >= 0; at = text.indexOf(telling, at + 1)) {
        const end = at + telling.length;
        if (end > last) break;
        if (goesOn(text, at) || goesOn(text, end)) continue;
        this.#sought.delete(name);
        this.#found.add(name);
        break;
      }
    }
  }
}

/** Whether a word goes on across a place. */
function goesOn(text: string, at: number): boolean {
  return IN_NAME.test(text.charAt(at - 1)) && IN_NAME.test(text.charAt(at));
}
