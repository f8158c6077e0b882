// SPDX-License-Identifier: Apache-2.0

/** Ids as an xarray gives them out: from 1 on, always the lowest that is free. */
export class IdTable {
  /** Every id from here on is free. */
  #next = 1;
  /** Free ids below, as a binary heap with the lowest first. */
  readonly #free: number[] = [];

  /** The id that comes next. */
  get lowest(): number {
    return this.#free[0] ?? this.#next;
  }

  /** Takes the lowest free id. */
  take(): number {
    const free = this.#free;
    const lowest = free[0];
    if (lowest === undefined) return this.#next++;
    const end = free.pop() ?? lowest;
    if (free.length > 0) {
      let at = 0;
      for (let child = 1; child < free.length; child = 2 * at + 1) {
        if ((free[child + 1] ?? Number.POSITIVE_INFINITY) < (free[child] ?? 0)) child++;
        const smaller = free[child] ?? end;
        if (smaller >= end) break;
        free[at] = smaller;
        at = child;
      }
      free[at] = end;
    }
    return lowest;
  }

  /** Gives back an id that was taken. */
  release(id: number): void {
    const free = this.#free;
    let at = free.length;
    free.push(id);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = free[parent] ?? id;
      if (above <= id) break;
      free[at] = above;
      at = parent;
    }
    free[at] = id;
  }
}
