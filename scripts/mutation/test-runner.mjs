// SPDX-License-Identifier: Apache-2.0
// A test runner for Stryker that loads the test files once, bundled, and switches mutants between tests. Stryker's own
// runner for vitest starts a worker for each mutant, which takes a hundred times as long as the tests themselves.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CheckStatus } from '@stryker-mutator/api/check';
import { commonTokens, declareFactoryPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import {
  DryRunStatus,
  determineHitLimitReached,
  TestStatus,
  toMutantRunResult,
} from '@stryker-mutator/api/test-runner';
import { build } from 'esbuild';
import { collect, runTest, tests } from './vitest-in-process.mjs';

const vitest = pathToFileURL(join(import.meta.dirname, 'vitest-in-process.mjs')).href;

class InProcessTestRunner {
  #options;
  #state;
  #bundle = '';
  #loads = 0;
  #firstTest = '';
  /** Milliseconds that a test takes, and how many mutants it killed. */
  #records = new Map();
  /** True when the tests must be loaded anew: a mutant was active while they were loaded, or they count coverage. */
  #isTainted = false;
  #files = [];

  constructor(options) {
    this.#options = options.inProcess;
    this.#state = globalThis['__stryker__'] ??= {};
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    Object.assign(process.env, this.#options.env);
    for (const method of ['info', 'log', 'warn']) console[method] = () => {};
    const { folders, exclude } = this.#options;
    const files = folders.flatMap((folder) =>
      readdirSync(folder)
        .filter((name) => name.endsWith('.test.ts'))
        .map((name) => `${folder}/${name}`),
    );
    this.#files = files.filter((file) => !exclude.includes(file)).sort();
    this.#bundle = join(process.cwd(), `bundle-${process.env['STRYKER_MUTATOR_WORKER'] ?? 0}.mjs`);
    await bundle(this.#files, this.#bundle, FAST_HEADER);
    await this.#load();
    [this.#firstTest] = tests.keys();
  }

  async dryRun() {
    await bundle(this.#files, this.#bundle, undefined);
    await this.#load();
    const results = [];
    for (const id of tests.keys()) {
      const start = process.cpuUsage();
      this.#state.currentTestId = id;
      const error = await runTest(id);
      this.#state.currentTestId = undefined;
      const { user, system } = process.cpuUsage(start);
      const time = (user + system) / 1000;
      results.push(resultOf(id, error, time));
      this.#records.set(id, { time, kills: 0 });
    }
    await bundle(this.#files, this.#bundle, FAST_HEADER);
    this.#isTainted = true;
    return { status: DryRunStatus.Complete, tests: results, mutantCoverage: this.#state.mutantCoverage };
  }

  async mutantRun(options) {
    const result = await this.#run(options);
    const [killer] = result.killedBy ?? [];
    if (killer === undefined || options.mutantActivation === 'static') return result;
    // What fails without the mutant too failed for what a mutant before left behind.
    if ((await runTest(killer)) === undefined) return result;
    this.#isTainted = true;
    return this.#run(options);
  }

  async #run({ activeMutant, hitLimit, testFilter, mutantActivation }) {
    const state = this.#state;
    const isStatic = mutantActivation === 'static';
    state.hitCount = 0;
    state.hitLimit = hitLimit;
    const results = [];
    try {
      if (isStatic) state.activeMutant = activeMutant.id;
      if (isStatic || this.#isTainted) await this.#load();
      this.#isTainted = isStatic;
      state.activeMutant = activeMutant.id;
      for (const id of this.#likeliestFirst(testFilter ?? [...tests.keys()])) {
        results.push(resultOf(id, await runTest(id), 0));
        if (results.at(-1).status === TestStatus.Failed) {
          this.#recordOf(id).kills++;
          break;
        }
      }
    } catch (error) {
      // The tests could not even be loaded.
      results.push(resultOf(this.#firstTest, error, 0));
    }
    state.activeMutant = undefined;
    const timeout = determineHitLimitReached(state.hitCount, hitLimit);
    state.hitCount = undefined;
    return toMutantRunResult(timeout ?? { status: DryRunStatus.Complete, tests: results });
  }

  #recordOf(id) {
    // A runner other than the first has made no dry run.
    const record = this.#records.get(id) ?? { time: 10, kills: 0 };
    this.#records.set(id, record);
    return record;
  }

  /** Tests that are quick or have killed much come first: the first that fails ends the run. */
  #likeliestFirst(ids) {
    const cost = (id) => {
      const { time, kills } = this.#recordOf(id);
      return (time + 0.1) / (kills + 1);
    };
    return ids.toSorted((a, b) => cost(a) - cost(b));
  }

  async #load() {
    this.#loads++;
    await collect(() => import(`${pathToFileURL(this.#bundle).href}?load=${this.#loads}`));
    for (const id of tests.keys()) if (this.#options.skip.some((part) => id.includes(part))) tests.delete(id);
  }
}

function resultOf(id, error, timeSpentMs) {
  const result = {
    id,
    name: id.slice(id.indexOf('#') + 1),
    fileName: id.slice(0, id.indexOf('#')),
    timeSpentMs,
  };
  if (error === undefined) return { ...result, status: TestStatus.Success };
  return { ...result, status: TestStatus.Failed, failureMessage: String(error.message ?? error) };
}

/**
 * What Stryker puts at the head of each mutated file counts which mutants are reached, which takes most of the time.
 * While mutants are tested nobody asks for that: this stands in its place.
 */
const FAST_HEADER = `
const stryState = globalThis.__stryker__ ??= {};
function stryCov_9fa48() {}
function stryMutAct_9fa48(id) {
  if (stryState.activeMutant !== id) return false;
  if (stryState.hitCount !== undefined && ++stryState.hitCount > stryState.hitLimit) throw new Error('hit limit');
  return true;
}
`;

/** Writes one module that evaluates `files`, with our `vitest` in the place of vitest and `header` in that of Stryker's. */
async function bundle(files, outfile, header) {
  const lines = files.map((file) => `beginFile('${file}');\nawait import('./${file}');`);
  await build({
    stdin: {
      contents: `import { beginFile } from 'vitest';\n${lines.join('\n')}\n`,
      resolveDir: process.cwd(),
      sourcefile: 'all-tests.ts',
    },
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    minifySyntax: true,
    logLevel: 'warning',
    packages: 'external',
    plugins: [
      {
        name: 'place-of-source',
        setup: ({ onLoad, onResolve }) => {
          onResolve({ filter: /^vitest$/ }, () => ({ path: vitest, external: true }));
          onLoad({ filter: /\.ts$/ }, ({ path }) => ({
            // The bundle lies elsewhere than its sources.
            contents: withHeader(readFileSync(path, 'utf8'), header).replaceAll(
              'import.meta.dirname',
              JSON.stringify(dirname(path)),
            ),
            loader: 'ts',
          }));
        },
      },
    ],
  });
}

function withHeader(source, header) {
  if (header === undefined) return source;
  const start = source.indexOf('function stryNS_9fa48() {');
  const last = '  return isActive(id);\n}\n';
  const end = source.indexOf(last, start);
  return start < 0 || end < 0 ? source : source.slice(0, start) + header + source.slice(end + last.length);
}

/** Leaves mutants out of a sample: of all, every nth by a hash of what it changes into what. */
class Sample {
  #nth;
  #rest;

  constructor(options) {
    this.#nth = options.inProcess.nth;
    this.#rest = options.inProcess.rest;
  }

  async init() {}

  async check(mutants) {
    return Object.fromEntries(mutants.map((mutant) => [mutant.id, this.#verdictOn(mutant)]));
  }

  #verdictOn({ fileName, location, mutatorName, replacement }) {
    const place = [relative(process.cwd(), fileName), location, mutatorName, replacement];
    const hash = createHash('sha256').update(JSON.stringify(place)).digest().readUInt32LE();
    if (hash % this.#nth === this.#rest) return { status: CheckStatus.Passed };
    return { status: CheckStatus.CompileError, reason: 'not in the sample' };
  }
}

/** Writes each mutant that no test notices as soon as that is known, so that one need not wait for the end. */
class SurvivorList {
  #path;

  constructor(options) {
    this.#path = options.jsonReporter.fileName.replace(/\.json$/, '-survivors.txt');
    mkdirSync(dirname(this.#path), { recursive: true });
    rmSync(this.#path, { force: true });
  }

  onMutantTested({ fileName, location, mutatorName, replacement, status }) {
    if (status !== 'Survived' && status !== 'NoCoverage') return;
    const { start, end } = location;
    const place = `${relative(process.cwd(), fileName)}:${start.line}:${start.column}-${end.line}:${end.column}`;
    appendFileSync(this.#path, `${place} ${status} ${mutatorName} ${JSON.stringify(replacement)}\n`);
  }
}

const inject = (create) => Object.assign(create, { inject: tokens(commonTokens.options) });

export const strykerPlugins = [
  declareFactoryPlugin(
    PluginKind.TestRunner,
    'in-process',
    inject((options) => new InProcessTestRunner(options)),
  ),
  declareFactoryPlugin(
    PluginKind.Checker,
    'sample',
    inject((options) => new Sample(options)),
  ),
  declareFactoryPlugin(
    PluginKind.Reporter,
    'survivors',
    inject((options) => new SurvivorList(options)),
  ),
];

export const strykerValidationSchema = {
  properties: {
    inProcess: {
      type: 'object',
      description: 'Which tests are run, and with which environment variables.',
      additionalProperties: false,
      required: ['folders', 'exclude', 'skip', 'env'],
      properties: {
        folders: { type: 'array', items: { type: 'string' } },
        exclude: { type: 'array', items: { type: 'string' } },
        skip: { type: 'array', items: { type: 'string' } },
        nth: { type: 'number', minimum: 1 },
        rest: { type: 'number', minimum: 0 },
        env: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};
