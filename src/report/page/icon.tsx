// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import type { Verdict } from '../analysis.js';

const SHAPES: Readonly<Record<Verdict['level'], JSX.Element>> = {
  ok: <path d="M4.5 8.4l2.4 2.4 4.8-5.2" />,
  note: <path d="M8 7.2v4M8 4.6v.2" />,
  warning: <path d="M8 4.4v4.4M8 11.2v.2" />,
  error: <path d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2" />,
};

/** A sign for how bad something is; beside it there is always a word. */
export function LevelIcon({ level }: { readonly level: Verdict['level'] }): JSX.Element {
  return (
    <svg class={`icon l-${level}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {level === 'warning' ? (
        <path class="disc" d="M8 .8l7.6 13.8H.4z" />
      ) : (
        <circle class="disc" cx="8" cy="8" r="7.5" />
      )}
      {SHAPES[level]}
    </svg>
  );
}
