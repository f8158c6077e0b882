// SPDX-License-Identifier: Apache-2.0
import type { Issue } from '../bytes/issue.js';

/** The part of a handover that something is wrong with. */
export type HandoverPart = 'root' | 'map' | 'scratch' | 'consumer';

/**
 * One thing wrong with a handover, found while it was read. Codes are those of the floor that found it: FDT_ERR_… and
 * others of `FdtError`, those of `SchemaError`; and of this floor NO_FDT, where an FDT must be there is none; NO_VERSION,
 * a version that no layout is declared for; DUPLICATE, two nodes or links where one may be; NOT_ALIGNED, an address off
 * its boundary; BAD_KEY, a bit of the map of preserved memory that stands for no memory; MALFORMED, what an element of
 * that map holds.
 */
export interface HandoverIssue extends Issue {
  readonly part: HandoverPart;
  /** Name of the consumer, where `part` is that. */
  readonly consumer?: string | undefined;
  /** Physical address of the other thing, where two disagree. */
  readonly otherAddress?: bigint | undefined;
}
