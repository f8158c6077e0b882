// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatHex } from '../../bytes/hex.js';
import { escapeText } from '../../bytes/printable.js';
import { count } from '../../render/size.js';
import type { ShownFinding } from '../analysis.js';
import { LevelIcon } from './icon.js';
import { usePrinting } from './printing.js';

const AT_ONCE = 20;

/** What the list of findings needs. */
export interface FindingsProps {
  readonly findings: readonly ShownFinding[];
  /** How many rules were checked. */
  readonly checked: number;
  /** Shows where a finding is. */
  readonly follow: (finding: ShownFinding, address?: bigint) => void;
  /** Brings this finding into sight. */
  readonly shown: { readonly index: number } | undefined;
}

/** All findings, those of one rule together. */
export function Findings({ findings, checked, follow, shown }: FindingsProps): JSX.Element {
  const groups = new Map<string, { readonly finding: ShownFinding; readonly index: number }[]>();
  findings.forEach((finding, index) => {
    const group = groups.get(finding.rule);
    if (group === undefined) groups.set(finding.rule, [{ finding, index }]);
    else group.push({ finding, index });
  });
  return (
    <section id="findings" aria-label="Findings">
      <h2>
        Findings <small>{findings.length.toLocaleString('en')}</small>
      </h2>
      {findings.length === 0 ? <p class="none">Nothing found by {count(checked, 'rule')}.</p> : null}
      {[...groups].map(([rule, list]) => (
        <Group key={rule} rule={rule} list={list} follow={follow} shown={shown} />
      ))}
    </section>
  );
}

interface GroupProps extends Pick<FindingsProps, 'follow' | 'shown'> {
  readonly rule: string;
  readonly list: readonly { readonly finding: ShownFinding; readonly index: number }[];
}

function Group({ rule, list, follow, shown }: GroupProps): JSX.Element | null {
  const [most, setMost] = useState(AT_ONCE);
  const isPrinting = usePrinting();
  const element = useRef<HTMLElement>(null);
  const position = list.findIndex(({ index }) => index === shown?.index);
  useEffect(() => {
    if (position < 0) return;
    setMost(Math.max(most, position + 1));
    element.current?.scrollIntoView({ block: 'center' });
    element.current?.focus();
  }, [shown]);
  const [first] = list;
  if (first === undefined) return null;
  const { severity, title, why, source, effect } = first.finding;
  return (
    <article class={`finding-group l-${severity}`} tabIndex={-1} ref={element}>
      <header>
        <LevelIcon level={severity} />
        <span class="severity">{severity}</span>
        <h3>{rule}</h3>
        {list.length > 1 ? <span class="pill">{list.length.toLocaleString('en')}</span> : null}
      </header>
      {effect === '' ? null : <p class="effect">Next kernel: {effect}.</p>}
      <ol>
        {list.slice(0, isPrinting ? AT_ONCE * 5 : most).map(({ finding, index }) => (
          <li key={index} class={index === shown?.index ? 'shown' : undefined}>
            <p>{escapeText(finding.message)}</p>
            <Place finding={finding} follow={follow} />
          </li>
        ))}
      </ol>
      {list.length > most ? (
        <button type="button" class="quiet" onClick={() => setMost(most * 5)}>
          {(list.length - most).toLocaleString('en')} more
        </button>
      ) : null}
      {why === '' ? null : (
        <details open={isPrinting}>
          <summary>Why this matters</summary>
          <p>{title}.</p>
          <p>{why}</p>
          <p class="how">Source: {source}</p>
        </details>
      )}
    </article>
  );
}

function Place({
  finding,
  follow,
}: {
  readonly finding: ShownFinding;
  readonly follow: FindingsProps['follow'];
}): JSX.Element | null {
  const { address, path, other } = finding;
  if (address === undefined && path === undefined) return null;
  return (
    <p class="place">
      <button type="button" class="link" onClick={() => follow(finding)}>
        {address === undefined ? 'Show' : formatHex(address)}
      </button>
      {path === undefined ? null : <span class="mono path">{escapeText(path)}</span>}
      {other === undefined ? null : (
        <span>
          and{' '}
          <button type="button" class="link" onClick={() => follow(finding, other)}>
            {formatHex(other)}
          </button>
        </span>
      )}
    </p>
  );
}
