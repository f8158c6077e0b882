// SPDX-License-Identifier: Apache-2.0
// What our tests use of vitest, for running single tests of files that were loaded once: tests are collected by file
// and name, `expect` is vitest's own. See docs/mutation-testing.md.
import { format } from 'node:util';
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
} from '@vitest/expect';
// Loaded before WeakMap is replaced: what it remembers is not ours to forget.
import * as fc from 'fast-check';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

/** Vitest's assertions and matchers. */
export const expect = Object.assign(
  (value, message) => chai.expect(value, message),
  chai.expect,
  globalThis[ASYMMETRIC_MATCHERS_OBJECT],
);

/** Collected tests by `<file>#<names of suites and test>`. */
export const tests = new Map();
let file = '';
let suites = [];

/** What is declared from here on belongs to the test file `name`. */
export function beginFile(name) {
  file = name;
  suites = [];
}

function declareSuite(name, body) {
  suites.push(String(name));
  body();
  suites.pop();
}

function declareTest(name, body) {
  const id = `${file}#${[...suites, name].join(' ')}`;
  let unique = id;
  for (let count = 2; tests.has(unique); count++) unique = `${id} (${count})`;
  tests.set(unique, body);
}

function withVariants(declare) {
  const skip = () => {};
  return Object.assign((name, body) => declare(name, body), {
    skipIf: (condition) => (condition ? Object.assign(skip, { each: () => skip }) : withVariants(declare)),
    each: (rows) => (name, body) => {
      for (const row of rows) {
        const values = Array.isArray(row) ? row : [row];
        const places = name.match(/%[sdifjo]/g)?.length ?? 0;
        const filled = name.replace(/\$(\w+)/g, (_, key) => String(row[key]));
        declare(format(filled, ...values.slice(0, places)), () => body(...values));
      }
    },
  });
}

export const describe = withVariants(declareSuite);
export const it = withVariants(declareTest);

const caches = new Set();
let isCollecting = true;
const PlainWeakMap = WeakMap;

/** A WeakMap that a module keeps for good is emptied before each test: what one mutant left there is not the next one's. */
globalThis.WeakMap = class {
  #map = new PlainWeakMap();
  constructor() {
    if (isCollecting) caches.add(this);
  }
  clear() {
    this.#map = new PlainWeakMap();
  }
  get(key) {
    return this.#map.get(key);
  }
  has(key) {
    return this.#map.has(key);
  }
  set(key, value) {
    this.#map.set(key, value);
    return this;
  }
  delete(key) {
    return this.#map.delete(key);
  }
};

/** Collects tests anew: `load` evaluates the test files. Properties that do not say how often run as `KHO_SCALE` asks. */
export async function collect(load) {
  fc.configureGlobal({ numRuns: Math.max(1, Math.round(100 * Number(process.env['KHO_SCALE'] ?? 1))) });
  tests.clear();
  caches.clear();
  isCollecting = true;
  await load();
  isCollecting = false;
}

/** Runs one test. Returns what it threw, `undefined` when it passed. */
export async function runTest(id) {
  for (const cache of caches) cache.clear();
  try {
    await tests.get(id)();
    return undefined;
  } catch (error) {
    return error ?? new Error('something falsy was thrown');
  }
}
