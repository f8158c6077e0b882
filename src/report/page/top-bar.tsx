// SPDX-License-Identifier: Apache-2.0
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { SearchBox, type SearchBoxProps } from './search-box.js';

const THEMES = ['system', 'light', 'dark'] as const;

/** The bar that stays in sight: what is shown, search, theme. */
export function TopBar(
  props: SearchBoxProps & {
    readonly titles: readonly string[];
    readonly active: number;
    readonly onActive: (index: number) => void;
  },
): JSX.Element {
  const { titles, active, onActive } = props;
  const [theme, setTheme] = useState<(typeof THEMES)[number]>(
    () => THEMES.find((each) => each === document.documentElement.dataset['theme']) ?? 'system',
  );
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return (
    <header class="top">
      <span class="brand">kho report</span>
      {titles.length === 1 ? (
        <span class="file" title={titles[0]}>
          {titles[0]}
        </span>
      ) : null}
      {titles.length > 1 ? (
        <div class="sides" role="tablist" aria-label="Which of the two is shown">
          {titles.map((title, index) => (
            <button
              key={index}
              type="button"
              role="tab"
              aria-selected={index === active}
              title={title}
              onClick={() => onActive(index)}
            >
              <small>{index === 0 ? 'before' : 'after'}</small> {title}
            </button>
          ))}
        </div>
      ) : null}
      <SearchBox atlas={props.atlas} findings={props.findings} onChoose={props.onChoose} />
      <select
        class="theme"
        aria-label="Colours"
        value={theme}
        onChange={({ currentTarget }) =>
          setTheme(THEMES.find((each) => each === currentTarget.value) ?? 'system')
        }
      >
        <option value="system">Auto</option>
        <option value="light">Light</option>
        <option value="dark">Dark</option>
      </select>
    </header>
  );
}

/** Links to the parts of the page; the one in sight is marked. */
export function Sections({
  links,
}: {
  readonly links: readonly (readonly [id: string, text: string, count: string])[];
}): JSX.Element {
  const [current, setCurrent] = useState('overview');
  const ids = links.map(([id]) => id).join(' ');
  useEffect(() => {
    const find = (): void => {
      const bottom = innerHeight + scrollY >= document.documentElement.scrollHeight - 4;
      const above = ids.split(' ').filter((id) => {
        const element = document.getElementById(id);
        return element !== null && element.getBoundingClientRect().top < innerHeight / 3;
      });
      setCurrent((bottom ? ids.split(' ').at(-1) : above.at(-1)) ?? 'overview');
    };
    find();
    addEventListener('scroll', find, { passive: true });
    return () => removeEventListener('scroll', find);
  }, [ids]);
  return (
    <nav class="sections" aria-label="Parts of the report">
      {links.map(([id, text, count]) => (
        <a key={id} href={`#${id}`} aria-current={id === current ? 'true' : undefined}>
          {text}
          {count === '' ? null : <span class="pill">{Number(count).toLocaleString('en')}</span>}
        </a>
      ))}
    </nav>
  );
}
