// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { escapeText } from '../../bytes/printable.js';
import type { HandoverChange, HandoverDiff } from '../../kho/handover-change.js';
import { changeGroup, changeLabel, comparedText, NOTE_WORDS } from '../../render/handover-diff-text.js';
import { count } from '../../render/size.js';
import type { Analysis } from '../analysis.js';
import type { TextRun } from '../text-run.js';
import { LevelIcon } from './icon.js';
import { verdictText } from './overview.js';
import { RunText } from './run-text.js';
import { VirtualList } from './virtual-list.js';

const ROW = 26;
const KINDS = ['added', 'removed', 'changed'] as const;
const SIGNS: Readonly<Record<HandoverChange['kind'], string>> = { added: '+', removed: '−', changed: '~' };

/** What is compared. */
export interface DiffViewProps {
  readonly sides: readonly Analysis[];
  /** How two handovers differ. */
  readonly diff: HandoverDiff | undefined;
  /** How two blobs that are no handovers differ, as lines. */
  readonly lines: readonly (readonly TextRun[])[] | undefined;
}

/** How two sides differ. */
export function DiffView({ sides, diff, lines }: DiffViewProps): JSX.Element {
  return (
    <section id="differences" aria-label="Differences">
      <h2>
        Differences <small>{diff === undefined ? '' : diff.changes.length.toLocaleString('en')}</small>
      </h2>
      <div class="compared">
        {sides.map(({ title, verdict }, index) => (
          <p key={index} class="one">
            <span class={index === 0 ? 't-removed' : 't-added'}>{index === 0 ? 'before' : 'after'}</span>
            <strong title={title}>{title}</strong>
            <LevelIcon level={verdict.level} />
            <span>{verdictText(verdict)}</span>
          </p>
        ))}
      </div>
      {diff !== undefined ? <Changes diff={diff} /> : null}
      {diff === undefined && lines !== undefined ? <Lines lines={lines} /> : null}
      {diff === undefined && lines === undefined ? <p class="none">These two cannot be compared.</p> : null}
    </section>
  );
}

function Lines({ lines }: { readonly lines: readonly (readonly TextRun[])[] }): JSX.Element {
  if (lines.length === 0) return <p class="same">They mean the same.</p>;
  return (
    <VirtualList
      class="lines"
      label="Differences"
      count={lines.length}
      rowHeight={20}
      row={(index) => (
        <pre>
          <RunText runs={lines[index] ?? []} />
        </pre>
      )}
    />
  );
}

type Row = { readonly group: string } | { readonly change: HandoverChange };

function Changes({ diff }: { readonly diff: HandoverDiff }): JSX.Element {
  const { changes, notes } = diff;
  const [kinds, setKinds] = useState<ReadonlySet<HandoverChange['kind']>>(new Set(KINDS));
  const rows = useMemo(() => {
    const list: Row[] = [];
    let group: string | undefined;
    for (const change of changes) {
      if (!kinds.has(change.kind)) continue;
      const next = changeGroup(change);
      if (next !== group) list.push({ group: next });
      group = next;
      list.push({ change });
    }
    return list;
  }, [changes, kinds]);
  return (
    <>
      {changes.length === 0 ? (
        <p class="same">They mean the same.</p>
      ) : (
        <>
          <fieldset class="filters">
            <legend>Show</legend>
            {KINDS.map((kind) => (
              <label key={kind} class={`t-${kind}`}>
                <input
                  type="checkbox"
                  checked={kinds.has(kind)}
                  onChange={() => {
                    const next = new Set(kinds);
                    if (!next.delete(kind)) next.add(kind);
                    setKinds(next);
                  }}
                />
                {kind} {changes.filter((each) => each.kind === kind).length.toLocaleString('en')}
              </label>
            ))}
          </fieldset>
          <VirtualList
            class="grid changes"
            label="Differences"
            count={rows.length}
            rowHeight={ROW}
            printed={500}
            head={
              <div class="grid-head">
                <span />
                <span>what</span>
                <span>field</span>
                <span>before</span>
                <span>after</span>
              </div>
            }
            row={(index) => {
              const row = rows[index];
              if (row === undefined) return <div />;
              return 'group' in row ? (
                <div class="group-row">{row.group}</div>
              ) : (
                <ChangeRow change={row.change} />
              );
            }}
          />
        </>
      )}
      {notes.length === 0 ? null : (
        <details class="notes" open={notes.some(({ kind }) => kind === 'unknown')}>
          <summary>{count(notes.length, 'note')} on the comparison</summary>
          <ul>
            {notes.slice(0, 200).map(({ kind, text }) => (
              <li key={`${kind} ${text}`}>
                <strong>{NOTE_WORDS[kind]}</strong> {text}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

function ChangeRow({ change }: { readonly change: HandoverChange }): JSX.Element {
  const { kind, part, of, field, before, after } = change;
  const text = (value: typeof before): string => (value === undefined ? '' : escapeText(comparedText(value)));
  const label = escapeText(changeLabel(part, of, field)) || (part === 'preserved' ? 'memory' : 'no name');
  const [first, second] = [text(before), text(after)];
  const isContents = part === 'preserved' && of[0] !== '';
  return (
    <div class={`grid-row k-${kind}`}>
      <span class={`sign t-${kind}`} title={kind}>
        {SIGNS[kind]}
      </span>
      <span title={label}>{label}</span>
      <span title={field}>{part === 'kernel' ? '' : escapeText(isContents ? (of[0] ?? '') : field)}</span>
      <span class="mono" title={first}>
        {first}
      </span>
      <span class="mono" title={second}>
        {second}
      </span>
    </div>
  );
}
