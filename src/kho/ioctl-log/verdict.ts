// SPDX-License-Identifier: Apache-2.0
import type { IoctlArgs, IoctlName } from '../../schemas/abi/iommufd-ioctls.js';
import { ERRNO, type ErrnoName } from './errno.js';
import type { AddressRange, IoctlRecord } from './log.js';
import type { Context } from './objects.js';

/** Values that a call gives back, by field name. */
export type Outputs = Readonly<Record<string, bigint>>;

/**
 * What the model says of a call before anything is changed. `commit` makes it so: it gets what the log recorded, for
 * choices in which the log has to be followed.
 */
export interface Verdict {
  readonly errno: number;
  readonly commit: (recorded: Outputs | undefined) => Outputs;
  /** The ranges that the call returns, where it returns some. */
  readonly ranges?: readonly AddressRange[];
}

/** What cannot be said of a call, since the log lacks something. */
export interface NoVerdict {
  readonly missing: string;
}

/** A call as the model gets it. */
export interface Call<K extends IoctlName> {
  readonly context: Context;
  readonly args: IoctlArgs<K>;
  readonly record: IoctlRecord<K>;
}

/** What judges calls of one ioctl of an iommufd. */
export type Judge<K extends IoctlName> = (call: Call<K>) => Verdict | NoVerdict;

const NOTHING: Outputs = Object.freeze({});

/** The call is refused, and nothing changes. */
export function refused(name: ErrnoName): Verdict {
  return withErrno(ERRNO[name]);
}

/** The same for an error number. */
export function withErrno(errno: number): Verdict {
  return { errno, commit: () => NOTHING };
}

/** The call is done, and `commit` does it. */
export function done(commit: (recorded: Outputs | undefined) => Outputs | undefined): Verdict {
  return { errno: 0, commit: (recorded) => commit(recorded) ?? NOTHING };
}

/** The call is done and changes nothing. */
export const NO_CHANGE: Verdict = withErrno(0);

/** The id that the log has for a new object, in output `field`; our own where it has none. */
export function recordedId(recorded: Outputs | undefined, field: string, own: number): number {
  return Number(recorded?.[field] ?? own);
}
