// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren, JSX } from 'preact';
import { formatHex } from '../../bytes/hex.js';
import { quoteName } from '../../bytes/printable.js';
import { count, formatRange, formatSize } from '../../render/size.js';
import type { Analysis } from '../analysis.js';
import type { Digest, SessionDigest } from '../digest.js';
import { LevelIcon } from './icon.js';

/** Goes to a physical address. */
export type GoTo = (address: bigint) => void;

const SHOWN = 8;

/** Verdict and summary of one side. */
export function Overview({
  analysis,
  goTo,
}: {
  readonly analysis: Analysis;
  readonly goTo: GoTo;
}): JSX.Element {
  const { digest, remarks } = analysis;
  return (
    <section id="overview" aria-label="Overview">
      <VerdictBanner analysis={analysis} />
      {remarks.length === 0 ? null : (
        <ul class="remarks">
          {remarks.map((text) => (
            <li key={text}>{text}</li>
          ))}
        </ul>
      )}
      {digest === undefined ? null : <DigestCards digest={digest} goTo={goTo} />}
    </section>
  );
}

/** How bad a side is, in one line. */
export function verdictText({ counts }: Analysis['verdict']): string {
  const told = (['error', 'warning', 'note'] as const)
    .filter((each) => counts[each] > 0)
    .map((each) => count(counts[each], each));
  return told.length === 0 ? 'No findings' : told.join(', ');
}

function VerdictBanner({ analysis }: { readonly analysis: Analysis }): JSX.Element {
  const { verdict, form, facts } = analysis;
  const { level, effect, checked, skipped } = verdict;
  const notChecked = skipped.reduce((sum, { rules }) => sum + rules.length, 0);
  const file = facts.map(([label, text]) => `${label} ${text}`).join(' · ');
  return (
    <div class={`verdict l-${level}`}>
      <LevelIcon level={level} />
      <div>
        <h1>{verdictText(verdict)}</h1>
        {effect === '' ? null : <p class="effect">At worst: {effect}.</p>}
        <p class="how">
          {form === 'blob'
            ? 'A blob alone: checked as a container and against its layout.'
            : `${count(checked, 'rule')} checked.`}{' '}
          {file}
        </p>
        {skipped.length === 0 ? null : (
          <details class="skipped">
            <summary>{count(notChecked, 'rule')} could not be checked</summary>
            <dl>
              {skipped.map(({ because, rules }) => (
                <div key={because}>
                  <dt>{because}</dt>
                  <dd>{rules.join(', ')}</dd>
                </div>
              ))}
            </dl>
          </details>
        )}
      </div>
    </div>
  );
}

function Card(props: {
  readonly title: string;
  readonly note?: string | undefined;
  readonly size?: 'half' | 'wide';
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <article class={`card ${props.size ?? ''}`}>
      <h3>
        {props.title}
        {props.note === undefined ? null : <small>{props.note}</small>}
      </h3>
      {props.children}
    </article>
  );
}

/** An address that leads to its bytes. */
export function Address({ at, goTo }: { readonly at: bigint; readonly goTo: GoTo }): JSX.Element {
  return (
    <button
      type="button"
      class="address"
      onClick={() => goTo(at)}
      title={`show the bytes at ${formatHex(at)}`}
    >
      {formatHex(at)}
    </button>
  );
}

function DigestCards({ digest, goTo }: { readonly digest: Digest; readonly goTo: GoTo }): JSX.Element {
  const { root, kernel, consumers, reserved, preserved, scratch, scratchSource } = digest;
  return (
    <div class="cards">
      <Card title="Handover">
        <dl class="facts">
          <dt>root</dt>
          <dd>
            {root === undefined
              ? 'none: only described address spaces'
              : (root.layout ?? 'version not known')}
          </dd>
          {digest.releases === undefined ? null : (
            <>
              <dt>written by</dt>
              <dd>{digest.releases}</dd>
            </>
          )}
          <dt>kernel</dt>
          <dd>
            {kernel === undefined
              ? 'no metadata says which'
              : `Linux ${quoteName(kernel.previousRelease)}, kexec number ${kernel.kexecCount}`}
          </dd>
          {root === undefined ? null : (
            <>
              <dt>at</dt>
              <dd>
                <Address at={root.address} goTo={goTo} /> {formatSize(root.size)}
              </dd>
            </>
          )}
        </dl>
      </Card>
      <Card
        title="Preserved memory"
        note={preserved === undefined ? undefined : formatSize(BigInt(preserved.pages) * 4096n)}
      >
        {preserved === undefined ? <p class="none">not known here</p> : <Orders preserved={preserved} />}
      </Card>
      <Card title="Scratch" note={scratch === undefined ? undefined : count(scratch.length, 'region')}>
        {scratch === undefined ? (
          <p class="none">not known: {scratchSource}</p>
        ) : (
          <ul class="plain">
            {scratch.slice(0, SHOWN).map(({ address, size }) => (
              <li key={`${address}`} class="mono">
                {formatRange(address, size)}
              </li>
            ))}
          </ul>
        )}
      </Card>
      {consumers.length === 0 ? null : (
        <Card title="Consumers" note={`${consumers.length}`} size="half">
          <table>
            <tbody>
              {consumers.slice(0, SHOWN * 4).map(({ name, layout, address, size }, index) => (
                <tr key={index}>
                  <th scope="row">{quoteName(name)}</th>
                  <td>{layout ?? 'no known layout'}</td>
                  <td class="nowrap">{size === 0 ? 'not there' : formatSize(size)}</td>
                  <td>
                    <Address at={address} goTo={goTo} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
      {reserved.length === 0 ? null : (
        <Card title="Reserved by name" note={`${reserved.length}`} size="half">
          <table>
            <tbody>
              {reserved.slice(0, SHOWN * 4).map(({ name, address, size }) => (
                <tr key={name}>
                  <th scope="row">{quoteName(name)}</th>
                  <td class="mono">{formatRange(address, size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Card>
      )}
      {digest.sessionCount === 0 ? null : <Sessions digest={digest} goTo={goTo} />}
    </div>
  );
}

function Orders({ preserved }: { readonly preserved: NonNullable<Digest['preserved']> }): JSX.Element {
  const { byOrder, runs, form, nodes } = preserved;
  const bytes = byOrder.map(({ order, blocks }) => blocks * 2 ** (order + 12));
  const most = Math.max(...bytes, 1);
  return (
    <>
      <p class="how">
        {count(runs, 'run')}, {form}
        {nodes > 0 ? ` of ${count(nodes, 'page')}` : ''}
      </p>
      <table class="bars">
        <tbody>
          {byOrder.map(({ order, blocks }, index) => (
            <tr key={order}>
              <th scope="row">order {order}</th>
              <td class="number">{blocks.toLocaleString('en')}</td>
              <td class="number">{formatSize(BigInt(blocks) << BigInt(12 + order))}</td>
              <td class="bar">
                <span
                  class="share"
                  style={{ width: `${Math.max(1, ((bytes[index] ?? 0) / most) * 100)}%` }}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function Sessions({ digest, goTo }: { readonly digest: Digest; readonly goTo: GoTo }): JSX.Element {
  const { sessions, sessionCount, fileCount, fileBytes } = digest;
  const note = `${sessionCount}, ${count(fileCount, 'file')}, ${formatSize(fileBytes)}`;
  return (
    <Card title="Sessions" note={note} size="wide">
      {sessions.map((session) => (
        <Session key={`${session.address}`} session={session} goTo={goTo} />
      ))}
      {sessionCount > sessions.length ? <p class="more">… {sessionCount - sessions.length} more</p> : null}
    </Card>
  );
}

function Session({ session, goTo }: { readonly session: SessionDigest; readonly goTo: GoTo }): JSX.Element {
  const { name, files, fileCount, bytes, address } = session;
  return (
    <details class="session">
      <summary>
        <span class="name" title={quoteName(name)}>
          {name === '' ? <span class="none">no name</span> : quoteName(name)}
        </span>
        <span class="number">{count(fileCount, 'file')}</span>
        <span class="number">{formatSize(bytes)}</span>
      </summary>
      <table>
        <thead>
          <tr>
            <th scope="col">token</th>
            <th scope="col">handler</th>
            <th scope="col" class="number">
              size
            </th>
            <th scope="col">record</th>
          </tr>
        </thead>
        <tbody>
          {files.map((file) => (
            <tr key={`${file.address}`}>
              <td class="mono">{formatHex(file.token)}</td>
              <td>{quoteName(file.compatible)}</td>
              <td class="number">{file.size === undefined ? 'not known' : formatSize(file.size)}</td>
              <td>
                <Address at={file.address} goTo={goTo} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="how">
        {fileCount > files.length ? `… ${fileCount - files.length} more files. ` : ''}session record at{' '}
        <Address at={address} goTo={goTo} />
      </p>
    </details>
  );
}
