// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { escapeText } from '../../bytes/printable.js';
import type { ShownFinding } from '../analysis.js';
import type { Atlas } from '../atlas.js';
import { type Match, searchSide } from '../search.js';

/** Time for one step of a search, so that nothing else has to wait. */
const SLICE_MS = 8;
const MOST = 100;

/** What the search needs. */
export interface SearchBoxProps {
  readonly atlas: Atlas | undefined;
  readonly findings: readonly ShownFinding[];
  readonly onChoose: (match: Match) => void;
}

/** Searches names, values, addresses and findings while one types. */
export function SearchBox({ atlas, findings, onChoose }: SearchBoxProps): JSX.Element {
  const [query, setQuery] = useState('');
  const [matches, setMatches] = useState<readonly Match[]>([]);
  const [isSearching, setSearching] = useState(false);
  const [chosen, setChosen] = useState(0);
  const [isOpen, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { target } = event;
      if (event.key !== '/' || target instanceof HTMLInputElement || target instanceof HTMLSelectElement)
        return;
      event.preventDefault();
      input.current?.focus({ preventScroll: true });
      input.current?.select();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, []);

  useEffect(() => {
    setMatches([]);
    setChosen(0);
    if (atlas === undefined || query.trim() === '') {
      setSearching(false);
      return undefined;
    }
    const search = searchSide(atlas, findings, query);
    const found: Match[] = [];
    let timer = 0;
    const step = (): void => {
      const until = performance.now() + SLICE_MS;
      let isOver = false;
      while (!isOver && performance.now() < until) {
        const { done, value } = search.next();
        isOver = done === true || found.length >= MOST;
        if (value !== undefined && value !== null) found.push(value);
      }
      setMatches([...found]);
      setSearching(!isOver);
      if (!isOver) timer = window.setTimeout(step);
    };
    setSearching(true);
    timer = window.setTimeout(step, 80);
    return () => window.clearTimeout(timer);
  }, [query, atlas, findings]);

  const choose = (match: Match | undefined): void => {
    if (match === undefined) return;
    setOpen(false);
    onChoose(match);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') setChosen(Math.min(matches.length - 1, chosen + 1));
    else if (event.key === 'ArrowUp') setChosen(Math.max(0, chosen - 1));
    else if (event.key === 'Enter') choose(matches[chosen]);
    else if (event.key === 'Escape') {
      setOpen(false);
      input.current?.blur();
    } else return;
    event.preventDefault();
  };
  const isShown = isOpen && query.trim() !== '';
  return (
    <div class="search">
      <input
        ref={input}
        type="search"
        placeholder="Search names, values, addresses  ( / )"
        aria-label="Search names, values, addresses and findings"
        list={undefined}
        aria-controls="matches"
        value={query}
        onInput={({ currentTarget }) => {
          setQuery(currentTarget.value);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        onBlur={() => window.setTimeout(() => setOpen(false), 150)}
        onKeyDown={onKeyDown}
      />
      {isShown ? (
        <div class="matches" id="matches" role="listbox">
          {matches.map((match, index) => (
            <div
              key={index}
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen}
              class={index === chosen ? 'match chosen' : 'match'}
              onMouseDown={(event) => {
                event.preventDefault();
                choose(match);
              }}
            >
              <span class="kind">{match.kind}</span>
              <span class="title" title={escapeText(match.title)}>
                {escapeText(match.title)}
              </span>
              <span class="what" title={escapeText(match.detail)}>
                {escapeText(match.detail)}
              </span>
            </div>
          ))}
          <p class="how">
            {isSearching
              ? 'Searching …'
              : matches.length === 0
                ? 'Nothing found.'
                : matches.length >= MOST
                  ? `The first ${MOST}.`
                  : `${matches.length} found.`}
          </p>
        </div>
      ) : null}
    </div>
  );
}
