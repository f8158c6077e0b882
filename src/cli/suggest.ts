// SPDX-License-Identifier: Apache-2.0

/** At most a third of a word, and never more than this, may be mistyped. */
const MAX_EDITS = 2;
/** Longer words are no mistyped commands; the comparison takes time in the square of the length. */
const MAX_LENGTH = 40;

/** The word of `known` that takes the fewest edits to reach from `word`, `undefined` when none is near. */
export function closestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > MAX_LENGTH) return undefined;
  let best: string | undefined;
  let bestEdits = Math.min(MAX_EDITS, Math.ceil(word.length / 3)) + 1;
  for (const candidate of known) {
    const edits = candidate.startsWith(word) ? 1 : editDistance(word, candidate);
    if (edits < bestEdits) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
