// SPDX-License-Identifier: Apache-2.0
// A classic script, since modules do not load from file://. Search, and the choice of light or dark, which the API pages
// keep under the same name.
(() => {
  const script = document.currentScript;
  const base = script.dataset.base;
  const root = document.documentElement;
  const THEMES = ['os', 'light', 'dark'];
  const MOST = 24;

  function storedTheme() {
    try {
      return localStorage.getItem('tsd-theme') ?? 'os';
    } catch {
      return 'os';
    }
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    try {
      localStorage.setItem('tsd-theme', theme);
    } catch {
      // Not remembered, still set.
    }
  }
  root.dataset.theme = storedTheme();

  /** Loads a classic script once. */
  const loading = new Map();
  function load(path) {
    const known = loading.get(path);
    if (known !== undefined) return known;
    const loaded = new Promise((resolve, reject) => {
      const element = document.createElement('script');
      element.src = base + path;
      element.onload = resolve;
      element.onerror = () => reject(new Error(`${path} cannot be loaded`));
      document.head.append(element);
    });
    loading.set(path, loaded);
    return loaded;
  }

  let engine;
  async function search(query) {
    if (engine === undefined) {
      await Promise.all([load('assets/minisearch.js'), load('assets/search-index.js')]);
      const { index, options } = window.KHO_SEARCH;
      const processTerm = (term) => {
        const lower = term.toLowerCase();
        return lower.length > 48 ? null : lower;
      };
      engine = window.MiniSearch.loadJS(index, { ...options, processTerm, tokenize: window.KHO_TOKENIZE });
    }
    const options = { prefix: (term) => term.length > 1, fuzzy: (term) => (term.length > 5 ? 0.15 : false) };
    const all = engine.search(query, { ...options, combineWith: 'AND', boost: { title: 6, names: 4 } });
    return all.length > 0 ? all : engine.search(query, { ...options, boost: { title: 6, names: 4 } });
  }

  function hitElement(hit, position) {
    const item = document.createElement('li');
    const link = document.createElement('a');
    link.href = base + hit.url;
    link.id = `hit-${position}`;
    link.setAttribute('role', 'option');
    const title = document.createElement('span');
    title.className = 'hit';
    title.textContent = hit.title;
    const where = document.createElement('span');
    where.className = 'where';
    where.textContent = hit.where;
    link.append(title, where);
    item.append(link);
    return item;
  }

  function start() {
    const toggle = document.querySelector('.site-header button');
    const label = () => {
      const theme = storedTheme();
      toggle.textContent = { os: 'Auto', light: 'Light', dark: 'Dark' }[theme] ?? 'Auto';
    };
    label();
    toggle.addEventListener('click', () => {
      const next = (THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length;
      setTheme(THEMES[next]);
      label();
    });
    const menu = document.querySelector('.site-nav');
    if (menu !== null && window.matchMedia('(max-width: 900px)').matches) menu.open = false;

    const input = document.querySelector('.site-header input');
    const list = document.querySelector('.search-results');
    let selected = -1;
    let asked = 0;
    const select = (index) => {
      const links = [...list.querySelectorAll('a')];
      selected = links.length === 0 ? -1 : (index + links.length) % links.length;
      links.forEach((link, position) => {
        link.setAttribute('aria-selected', String(position === selected));
      });
      links[selected]?.scrollIntoView({ block: 'nearest' });
      input.setAttribute('aria-activedescendant', links[selected]?.id ?? '');
    };
    const hide = () => {
      list.hidden = true;
      input.setAttribute('aria-expanded', 'false');
    };
    const update = async () => {
      const query = input.value.trim();
      const turn = ++asked;
      if (query === '') return hide();
      const hits = await search(query);
      if (turn !== asked) return;
      const none = document.createElement('li');
      none.className = 'none';
      none.textContent = `Nothing found for "${query}".`;
      list.replaceChildren(...(hits.length > 0 ? hits.slice(0, MOST).map(hitElement) : [none]));
      list.dataset.query = input.value;
      list.hidden = false;
      input.setAttribute('aria-expanded', 'true');
      select(0);
    };
    input.addEventListener('input', update);
    input.addEventListener('focus', () => {
      load('assets/minisearch.js');
      load('assets/search-index.js');
      if (input.value !== '') update();
    });
    input.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
        event.preventDefault();
        select(selected + (event.key === 'ArrowDown' ? 1 : -1));
      } else if (event.key === 'Enter') {
        list.querySelectorAll('a')[selected]?.click();
      } else if (event.key === 'Escape') {
        hide();
        input.blur();
      }
    });
    list.addEventListener('click', hide);
    document.addEventListener('click', (event) => {
      if (!event.target.closest('.search')) hide();
    });
    document.addEventListener('keydown', (event) => {
      const typing = event.target.closest('input, textarea, select');
      if (event.key !== '/' || typing !== null || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      input.focus();
    });
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', start);
  else start();
})();
