// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import type { TextRun } from '../text-run.js';

/** Text in the colours of what it is. Nothing in it is ever markup. */
export function RunText({ runs }: { readonly runs: readonly TextRun[] }): JSX.Element {
  return (
    <>
      {runs.map(({ role, text }, index) => (
        <span key={index} class={role === '' ? undefined : `t-${role}`}>
          {text}
        </span>
      ))}
    </>
  );
}
