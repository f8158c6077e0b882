// SPDX-License-Identifier: Apache-2.0
import { isTerminal } from './terminal.js';

/** The values of `--color`. */
export type ColorChoice = 'auto' | 'always' | 'never';

/**
 * Whether to colour what goes to `descriptor`. `--color` decides; with `auto` FORCE_COLOR (0 or false: no), then
 * NO_COLOR (no-color.org), then whether it is a terminal that can show colour.
 */
export function wantsColor(
  choice: ColorChoice,
  descriptor: number,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = environment;
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false';
  if (no !== undefined && no !== '') return false;
  return term !== 'dumb' && isTerminal(descriptor);
}
