// SPDX-License-Identifier: Apache-2.0

/**
 * Binary search: the first index from `from` to before `to` for which `holds`; `to` when there is none. `holds` must be
 * false for all indexes before that one, and true for all after it.
 */
export function firstWhere(from: number, to: number, holds: (index: number) => boolean): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
