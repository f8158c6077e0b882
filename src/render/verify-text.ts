// SPDX-License-Identifier: Apache-2.0
import { formatHex } from '../bytes/hex.js';
import { escapeText, quoteName } from '../bytes/printable.js';
import { FACTS } from '../kho/rules/facts.js';
import type { Finding, FindingPlace, KernelEffect, Rule, Severity } from '../kho/rules/rule.js';
import type { HandoverSummary, RootSummary } from '../kho/summary.js';
import type { Verification } from '../kho/verify.js';
import type { Paint, Role } from './paint.js';
import { count, formatRange, formatSize } from './size.js';
import { type Cell, writeTable } from './table-text.js';
import type { TextSink } from './text-sink.js';

/** What each effect is, for people. */
export const EFFECT_TEXT: Readonly<Record<KernelEffect, string>> = {
  'plain-boot': 'the next kernel ignores the handover and boots plainly, all preserved memory is used again',
  panic: 'the next kernel panics',
  oops: 'the next kernel crashes',
  hang: 'the next kernel hangs while it boots',
  'open-fails': '/dev/liveupdate cannot be opened, all sessions are lost',
  'file-fails': 'a file cannot be retrieved',
  corrupt: 'memory is used twice',
  silent: 'something is lost or wrong, and nothing says so',
  none: 'nothing',
};

const SEVERITY_ROLES: Readonly<Record<Severity, Role>> = { error: 'error', warning: 'changed', note: 'note' };
/** Sessions and consumers listed at most. */
const LISTED = 50;

const cell = (text: string, role: Role = 'property'): Cell => ({ text, role });

/** Writes what a handover is made of, the verdict last. */
export function writeVerifySummary(
  out: TextSink,
  file: string,
  summary: HandoverSummary,
  verification: Verification,
  paint: Paint,
): void {
  out(`${paint('title', escapeText(file))}\n`);
  const rows: Cell[][] = [];
  const row = (label: string, text: string): void => {
    rows.push([cell(label), cell(text)]);
  };
  const { root, preserved } = summary;
  if (root === undefined) row('root', 'no handover here, only what --areas describes');
  else writeRoot(root, summary, row);
  summary.consumers.slice(0, LISTED).forEach(({ name, layout, address, size }, index) => {
    const where =
      size === 0 ? `at ${formatHex(address)}, not there` : `${count(size, 'byte')} at ${formatHex(address)}`;
    row(index === 0 ? 'consumers' : '', `${quoteName(name)}: ${layout ?? 'no known layout'}, ${where}`);
  });
  writeSessions(summary, row);
  summary.reserved.forEach(({ name, address, size }, index) => {
    row(index === 0 ? 'reserved' : '', `${quoteName(name)}: ${formatRange(address, size)}`);
  });
  if (preserved !== undefined) {
    const { pages, runs, nodes, form, byOrder } = preserved;
    const map = nodes > 0 ? `, ${form} of ${count(nodes, 'page')}` : `, ${form}`;
    row('preserved', `${formatSize(BigInt(pages) * 4096n)} in ${count(runs, 'run')}${map}`);
    for (const { order, blocks } of byOrder)
      row(
        '',
        `order ${order}: ${count(blocks, 'block')}, ${formatSize(BigInt(blocks) << BigInt(12 + order))}`,
      );
  }
  summary.scratch?.forEach(({ address, size }, index) => {
    row(index === 0 ? 'scratch' : '', formatRange(address, size));
  });
  writeDomains(summary, row);
  writeTable(out, rows, paint, '  ');
  out('\n');
  writeVerdict(out, verification, paint);
}

type Row = (label: string, text: string) => void;

function writeRoot(root: RootSummary, { kernel }: HandoverSummary, row: Row): void {
  const strings = root.compatible.map(quoteName).join(', ');
  const version = root.layout ?? (strings === '' ? 'not readable' : `${strings}, not known`);
  row('root', `${version} at ${formatHex(root.address)}, ${count(root.size, 'byte')}`);
  for (const other of root.others) row('', `another root at ${formatHex(other)} (--root)`);
  row(
    'kernel',
    kernel === undefined
      ? 'no metadata says which'
      : `Linux ${quoteName(kernel.previousRelease)}, kexec number ${kernel.kexecCount}`,
  );
}

function writeSessions({ sessions, fileBytes }: HandoverSummary, row: Row): void {
  const files = sessions.reduce((sum, session) => sum + session.files.length, 0);
  if (sessions.length === 0) return;
  row('sessions', `${sessions.length}, ${count(files, 'file')}, ${formatSize(fileBytes)}`);
  for (const { name, files: own } of sessions.slice(0, LISTED)) {
    const size = own.reduce((sum, { size: bytes = 0n }) => sum + bytes, 0n);
    row('', `"${quoteName(name)}": ${count(own.length, 'file')}, ${formatSize(size)}`);
  }
  if (sessions.length > LISTED) row('', `… ${sessions.length - LISTED} more`);
}

function writeDomains({ domains, ioases }: HandoverSummary, row: Row): void {
  domains.slice(0, LISTED).forEach(({ name, topTable, width, devices, mapped }, index) => {
    const what = mapped
      ? `${formatSize(mapped.bytes)} mapped in ${count(mapped.extents, 'extent')}, ${count(mapped.tables, 'table page')}`
      : 'tables not read';
    const bits = width === undefined ? '' : ` of ${width} bits`;
    row(
      index === 0 ? 'domains' : '',
      `${name}${bits} at ${formatHex(topTable)}: ${what}, ${count(devices, 'device')}`,
    );
  });
  ioases.slice(0, LISTED).forEach(({ iommufd, id, areas }, index) => {
    row(
      index === 0 ? 'areas' : '',
      `${iommufd === undefined ? '' : `iommufd ${iommufd}, `}address space ${id}: ${count(areas, 'area')}`,
    );
  });
}

/** How many findings of each severity there are, those beyond the limit of a rule included. */
export function severityCounts({ findings, counts }: Verification): Readonly<Record<Severity, number>> {
  const sums = { error: 0, warning: 0, note: 0 };
  const kept = new Map<string, number>();
  for (const { rule, severity } of findings) {
    sums[severity]++;
    kept.set(rule, (kept.get(rule) ?? 0) + 1);
  }
  for (const [rule, total] of counts) {
    const severity = findings.find((finding) => finding.rule === rule)?.severity;
    if (severity !== undefined) sums[severity] += total - (kept.get(rule) ?? 0);
  }
  return sums;
}

function writeVerdict(out: TextSink, verification: Verification, paint: Paint): void {
  const { ran, skipped, effect } = verification;
  const { error, warning, note } = severityCounts(verification);
  const found = [count(error, 'error'), count(warning, 'warning'), count(note, 'note')].filter(
    (text) => !text.startsWith('0 '),
  );
  const checked = `${count(ran.length, 'rule')} checked${skipped.length === 0 ? '' : `, ${skipped.length} not`}`;
  const role: Role = error > 0 ? 'error' : warning > 0 ? 'changed' : 'added';
  out(`${paint(role, found.length === 0 ? 'no findings' : found.join(', '))}  ${checked}\n`);
  if (effect !== 'none') out(`${paint('note', `at worst: ${EFFECT_TEXT[effect]}`)}\n`);
  const reasons = new Map<string, string[]>();
  for (const { rule, because } of skipped) reasons.set(because, [...(reasons.get(because) ?? []), rule]);
  for (const [because, rules] of reasons)
    out(`${paint('note', escapeText(`not checked: ${rules.join(', ')} (${because})`))}\n`);
}

function placeText({ path, address, other }: FindingPlace): string {
  const places = [
    ...(address === undefined ? [] : [`pa ${formatHex(address)}`]),
    ...(path === undefined ? [] : [path]),
    ...(other === undefined ? [] : [`and pa ${formatHex(other)}`]),
  ];
  return escapeText(places.join(' '));
}

/** Writes the findings: severity and rule, what was expected and found, and where. */
export function writeFindings(out: TextSink, { findings, counts }: Verification, paint: Paint): void {
  const left = new Map(counts);
  for (const { rule, severity, message, at } of findings) {
    out(`\n${paint(SEVERITY_ROLES[severity], severity)} ${paint('title', rule)}: ${escapeText(message)}\n`);
    const where = placeText(at);
    if (where !== '') out(`  ${paint('note', where)}\n`);
    left.set(rule, (left.get(rule) ?? 0) - 1);
  }
  for (const [rule, more] of left) if (more > 0) out(`\n${rule}: ${count(more, 'more finding')}\n`);
}

/** Writes all that is to be known of a rule. */
export function writeRule(out: TextSink, rule: Rule, paint: Paint): void {
  const { id, family, severity, title, why, effect, needs, source } = rule;
  out(`${paint('title', id)}  ${severity}, family ${family}\n\n  ${title}.\n\n  ${why}\n\n`);
  const rows = [
    [cell('next kernel'), cell(EFFECT_TEXT[effect])],
    ...needs.map((need, index) => [cell(index === 0 ? 'needs' : ''), cell(FACTS[need].title)]),
    [cell('source'), cell(source)],
  ];
  writeTable(out, rows, paint, '  ');
}

/** Whether findings are worth an exit code: notes are not. */
export function isWorthTelling({ severity }: Finding): boolean {
  return severity !== 'note';
}
