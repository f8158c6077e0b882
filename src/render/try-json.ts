// SPDX-License-Identifier: Apache-2.0
import type { KernelVerdict } from '../kho/kernel-verdict.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { TextSink } from './text-sink.js';
import { agreementByRule, type JudgedCase } from './try-cases-text.js';
import type { TriedBoot } from './try-text.js';
import { writeJsonValue } from './value-json.js';

/** What JSON says of one boot. */
function members(boot: TriedBoot, verdict: KernelVerdict, commandLine: string): Record<string, unknown> {
  const { outcome, silent, release, sessions, files, regions, losses, lastWords, subtrees, remarks } =
    verdict;
  return {
    kernel: boot.kernel,
    release: release ?? null,
    outcome,
    silent,
    sessions,
    files,
    regions,
    losses,
    lastWords,
    subtrees,
    remarks,
    scratch: boot.scratch,
    commandLine,
    seconds: Math.round(verdict.seconds * 10) / 10,
  };
}

/** Writes what kernels made of a handover as a JSON document. */
export function writeTriedJson(
  out: TextSink,
  image: string,
  tried: readonly {
    readonly boot: TriedBoot;
    readonly verdict: KernelVerdict;
    readonly commandLine: string;
  }[],
): void {
  const boots = tried.map(({ boot, verdict, commandLine }) => members(boot, verdict, commandLine));
  writeJsonValue(out, { schemaVersion: JSON_SCHEMA_VERSION, kind: 'try', image, boots }, '');
  out('\n');
}

/** Writes what a kernel did with labelled cases as a JSON document. */
export function writeJudgedJson(
  out: TextSink,
  folder: string,
  kernel: string,
  cases: readonly JudgedCase[],
): void {
  const rules = agreementByRule(cases);
  writeJsonValue(
    out,
    { schemaVersion: JSON_SCHEMA_VERSION, kind: 'try-cases', folder, kernel, rules, cases },
    '',
  );
  out('\n');
}
