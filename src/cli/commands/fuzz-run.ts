// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { escapeText } from '../../bytes/printable.js';
import type { FuzzCase, FuzzManifest } from '../../fuzz/manifest.js';
import { OUTCOME_CLASSES, type Outcome, type OutcomeClass } from '../../fuzz/outcome.js';
import { type OutcomeGroup, writeOutcomes } from '../../render/fuzz-run-text.js';
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { count } from '../../render/size.js';
import { writeJsonValue } from '../../render/value-json.js';
import { MANIFEST_FILE, readManifestFile } from '../case-folder.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { UsageError } from '../failure.js';
import { exitCodeOfSignal } from '../interruption.js';
import { readProgramLine } from '../program-line.js';
import { exitCodesOf, limitsOf, namesWanted, PROGRAM_OPTIONS, runHash } from '../program-options.js';
import { ResultsFile } from '../results-file.js';
import { type CasesRun, runCases } from '../run-cases.js';
import { ProgramRunner } from '../run-program.js';

const MOST_JOBS = 256;

interface CaseGroup extends OutcomeGroup {
  readonly class: OutcomeClass;
  readonly cases: FuzzCase[];
}

/** `kho fuzz run`. */
export const fuzzRun: Command = defineCommand({
  details: [
    'What stands after -- is run without a shell, with the absolute path of a case in place of {} or at the end. Crashes, reports of sanitizers and kernels, timeouts, want of memory and verdicts that the labels contradict are told, those with the same report together. Results are kept in the folder as they come: the same command goes on where it was interrupted, and does nothing again.',
  ],
  examples: [
    ['fuzz run --cases cases -- ./restore {}', 'crashes, hangs, and verdicts that the labels contradict'],
    [
      'fuzz run --cases cases --timeout 2 --memory 512 --jobs 4 -- ./restore {}',
      'with limits, four at a time',
    ],
    [
      'fuzz run --cases cases --refuse 22 -- ./restore --file={}',
      'exit 22 refuses, all but 0 and 22 is a finding',
    ],
    [
      'fuzz run --cases cases --only crash,timeout -- ./restore',
      'other outcomes are told, and are no findings',
    ],
    [
      'fuzz run --cases images --tells-rule all --rule-text {}: -- kho verify --areas={areas} {}',
      'and every rule of the label is to be named; {areas} where a case has some',
    ],
    ['fuzz run --cases cases --fresh -- ./restore {}', 'not what is known from before'],
  ],
  exitCodes:
    '0 all cases went as their labels say, 1 findings, 2 no manifest, a case that is not that of the manifest, no such program, or wrong usage; 130 interrupted',
  positionals: {},
  program: true,
  options: {
    cases: { type: 'string', demandOption: true, describe: 'folder that kho fuzz gen wrote' },
    jobs: { alias: 'j', type: 'number', describe: 'programs at a time; default one a processor' },
    ...PROGRAM_OPTIONS,
    only: {
      type: 'string',
      describe: `which outcomes are findings: ${OUTCOME_CLASSES.slice(0, -1).join(',')}; default all of them`,
    },
    resume: {
      type: 'boolean',
      default: false,
      describe: 'go on with results of this command; there must be some',
    },
    fresh: { type: 'boolean', default: false, describe: 'forget earlier results of this command' },
    json: { type: 'boolean', default: false, describe: 'print JSON' },
  },
  run: async (args, io) => {
    const { cases: folder, jobs = availableParallelism(), resume, fresh, json } = args;
    if (!Number.isInteger(jobs) || jobs < 1 || jobs > MOST_JOBS)
      throw new UsageError(`--jobs takes a number from 1 to ${MOST_JOBS}`);
    if (resume && fresh) throw new UsageError('--resume and --fresh contradict each other');
    const limits = limitsOf(args);
    const codes = exitCodesOf(args);
    const names = namesWanted(args);
    const findings = findingClasses(args.only);
    const manifest = readManifestFile(join(folder, MANIFEST_FILE));
    const line = readProgramLine(args['--']);
    const { ruleText } = args;
    const command = { words: line.words, hash: runHash(line, limits), ruleText };
    const results = ResultsFile.open(folder, command, fresh ? 'fresh' : resume ? 'resume' : 'auto');
    const runner = new ProgramRunner(line, limits);
    const start = performance.now();
    let done: CasesRun;
    try {
      done = await runCases({ folder, cases: manifest.cases, runner, results, codes, names, ruleText, jobs });
    } finally {
      results.close();
    }
    const groups = groupCases(manifest.cases, done.outcomes, findings);
    const seconds = (performance.now() - start) / 1000;
    io.stderr.write(`kho: ${escapeText(progressLine(folder, manifest, done, seconds))}\n`);
    if (json) {
      const document = {
        schemaVersion: JSON_SCHEMA_VERSION,
        kind: 'fuzz-run',
        folder,
        schema: manifest.schema,
        form: manifest.form,
        seed: manifest.seed,
        command: line.words,
        commandHash: command.hash,
        results: results.path,
        limits: { seconds: limits.seconds, memoryMiB: limits.memory ?? null },
        tellsRule: names ?? null,
        cases: manifest.cases.length,
        interrupted: done.interrupted !== undefined,
        outcomes: groups.map(groupJson),
      };
      writeJsonValue(io.stdout.write, document, '');
      io.stdout.write('\n');
    } else writeRun(manifest, folder, line.words, limits.seconds, runner, jobs, groups, results.path, io);
    if (done.interrupted !== undefined) return exitCodeOfSignal(done.interrupted);
    return groups.some(({ finding }) => finding) ? EXIT.findings : EXIT.ok;
  },
});

function findingClasses(only: string | undefined): ReadonlySet<OutcomeClass> {
  const all = OUTCOME_CLASSES.filter((name) => name !== 'ok');
  if (only === undefined) return new Set(all);
  return new Set(
    only.split(',').map((word) => {
      const found = all.find((name) => name === word.trim());
      if (found === undefined) throw new UsageError(`--only takes some of ${all.join(',')}, found "${word}"`);
      return found;
    }),
  );
}

/** Cases with the same outcome, the worst outcomes and then the most frequent ones first. */
function groupCases(
  cases: readonly FuzzCase[],
  outcomes: readonly (Outcome | undefined)[],
  findings: ReadonlySet<OutcomeClass>,
): CaseGroup[] {
  const groups = new Map<string, CaseGroup>();
  cases.forEach((each, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined) return;
    const key = `${outcome.class} ${outcome.what}`;
    const group = groups.get(key) ?? { ...outcome, finding: findings.has(outcome.class), cases: [] };
    group.cases.push(each);
    groups.set(key, group);
  });
  const rank = ({ class: name }: CaseGroup): number => OUTCOME_CLASSES.indexOf(name);
  return [...groups.values()].sort((a, b) => rank(a) - rank(b) || b.cases.length - a.cases.length);
}

function groupJson(group: CaseGroup): Readonly<Record<string, unknown>> {
  const { class: name, what, finding, cases } = group;
  const told = name === 'ok' ? [] : cases;
  const list = told.map(({ file, operators, expected }) => ({ file, operators, expected }));
  return { class: name, what, finding, count: cases.length, cases: list };
}

function progressLine(folder: string, { cases }: FuzzManifest, done: CasesRun, seconds: number): string {
  const { ran, interrupted, outcomes } = done;
  const known = outcomes.filter((outcome) => outcome !== undefined).length - ran;
  const rate = ran === 0 ? '' : `, ${(ran / Math.max(seconds, 0.001)).toFixed(0)} a second`;
  const before = known === 0 ? '' : `; ${known} known from before (--fresh runs them again)`;
  const left = cases.length - ran - known;
  const end = interrupted === undefined ? '' : `; interrupted with ${left} to go: the same command goes on`;
  return `${folder}: ${count(ran, 'case')} run in ${seconds.toFixed(1)} s${rate}${before}${end}`;
}

function writeRun(
  { schema, seed, cases }: FuzzManifest,
  folder: string,
  words: readonly string[],
  seconds: number,
  runner: ProgramRunner,
  jobs: number,
  groups: readonly CaseGroup[],
  results: string,
  io: Io,
): void {
  const { paint } = io;
  const what = `${schema}, ${count(cases.length, 'case')}, seed ${seed}`;
  io.stdout.write(`${paint('title', escapeText(folder))}  ${escapeText(what)}\n`);
  io.stdout.write(`${paint('note', escapeText(words.join(' ')))}\n`);
  const limits = `${count(jobs, 'job')}, timeout ${seconds} s, ${runner.memoryLimit}`;
  io.stdout.write(`${paint('note', escapeText(limits))}\n\n`);
  if (groups.length === 0) io.stdout.write('no case was run\n');
  else writeOutcomes(io.stdout.write, groups, results, paint);
}
