// SPDX-License-Identifier: Apache-2.0
import type { Finding } from '../kho/rules/rule.js';
import type { HandoverSummary } from '../kho/summary.js';
import type { Verification } from '../kho/verify.js';
import { JSON_SCHEMA_VERSION } from './json-text.js';
import type { TextSink } from './text-sink.js';
import { writeJsonValue } from './value-json.js';

/** Writes a verification as JSON, see docs/json-output.md. */
export function writeVerifyJson(
  out: TextSink,
  file: string,
  summary: HandoverSummary,
  verification: Verification,
): void {
  const { findings, counts, ran, skipped, effect } = verification;
  const document = {
    schemaVersion: JSON_SCHEMA_VERSION,
    kind: 'verify',
    file,
    summary: summaryValue(summary),
    effect,
    findings: findings.map(({ rule, severity, message, at, effect: own }: Finding) => {
      return { rule, severity, message, at, effect: own };
    }),
    counts: Object.fromEntries(counts),
    checked: ran,
    notChecked: skipped,
  };
  writeJsonValue(out, document, '');
  out('\n');
}

function summaryValue(summary: HandoverSummary): unknown {
  const { kernel, root, consumers, sessions, reserved, preserved, scratch, domains, ioases } = summary;
  return {
    kernel: kernel === undefined ? null : { release: kernel.previousRelease, kexecCount: kernel.kexecCount },
    root: root === undefined ? null : { ...root, layout: root.layout ?? null },
    consumers: consumers.map((each) => ({ ...each, layout: each.layout ?? null })),
    sessions: sessions.map(({ name, files }) => ({
      name,
      files: files.map(({ token, compatible, size }) => ({ token, compatible, size: size ?? null })),
    })),
    reserved: reserved.map(({ name, address, size }) => ({ name, address, size })),
    preserved: preserved ?? null,
    scratch: scratch ?? null,
    domains: domains.map((domain) => ({
      ...domain,
      levels: domain.levels ?? null,
      width: domain.width ?? null,
      mapped: domain.mapped ?? null,
    })),
    ioases,
  };
}
