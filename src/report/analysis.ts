// SPDX-License-Identifier: Apache-2.0
// All that takes long to find out about a side, as values that one thread can hand to another.

import { diffHandovers } from '../kho/diff-handovers.js';
import type { HandoverDiff } from '../kho/handover-change.js';
import type { LocateResult } from '../kho/locate.js';
import type { KernelEffect, Severity } from '../kho/rules/rule.js';
import { ruleOf } from '../kho/rules/table.js';
import { verifyHandover } from '../kho/verify.js';
import { EFFECT_TEXT, severityCounts } from '../render/verify-text.js';
import { check } from '../schemas/lang/check.js';
import { type Digest, digestOf } from './digest.js';
import { type IovaSpace, iovaSpaces } from './iova-spaces.js';
import { type MemoryLanes, memoryLanes } from './memory-lanes.js';
import type { OpenedSide, SideForm, SingleBlob } from './open-side.js';

/** Something that is wrong, with what a reader needs to judge it. */
export interface ShownFinding {
  readonly rule: string;
  readonly severity: Severity;
  /** Text from the input in it is not escaped. */
  readonly message: string;
  readonly path: string | undefined;
  readonly address: bigint | undefined;
  readonly other: bigint | undefined;
  /** What the next kernel does, in words. */
  readonly effect: string;
  /** What must hold, why, and who says so; '' where no rule says more. */
  readonly title: string;
  readonly why: string;
  readonly source: string;
}

/** What a side amounts to. */
export interface Verdict {
  readonly level: Severity | 'ok';
  readonly counts: Readonly<Record<Severity, number>>;
  /** The worst that the next kernel does, in words; '' where it goes on as if nothing were. */
  readonly effect: string;
  /** Rules that ran. */
  readonly checked: number;
  /** Rules that were passed over, by why. */
  readonly skipped: readonly { readonly because: string; readonly rules: readonly string[] }[];
}

/** A side, analysed. */
export interface Analysis {
  readonly title: string;
  readonly form: SideForm;
  readonly facts: OpenedSide['facts'];
  readonly remarks: readonly string[];
  readonly located: LocateResult | undefined;
  readonly verdict: Verdict;
  readonly findings: readonly ShownFinding[];
  readonly digest: Digest | undefined;
  readonly lanes: MemoryLanes | undefined;
  readonly spaces: readonly IovaSpace[];
}

/** Findings of one rule that are shown. */
const MAX_PER_RULE = 1000;

/** Finds out all about a side. */
export function analyse(opened: OpenedSide): Analysis {
  const { title, form, facts, remarks, located, handover, blob } = opened;
  const common = { title, form, facts, remarks, located };
  if (handover === undefined)
    return { ...common, ...judgeBlob(blob), digest: undefined, lanes: undefined, spaces: [] };
  const verification = verifyHandover(handover, { maxPerRule: MAX_PER_RULE });
  const counts = severityCounts(verification);
  const skipped = new Map<string, string[]>();
  for (const { rule, because } of verification.skipped)
    skipped.set(because, [...(skipped.get(because) ?? []), rule]);
  return {
    ...common,
    verdict: {
      level: levelOf(counts),
      counts,
      effect: effectText(verification.effect),
      checked: verification.ran.length,
      skipped: [...skipped].map(([because, rules]) => ({ because, rules })),
    },
    findings: verification.findings.map(({ rule, severity, message, at, effect }) => {
      const { title: must = '', why = '', source = '' } = ruleOf(rule) ?? {};
      return {
        rule,
        severity,
        message,
        path: at.path,
        address: at.address,
        other: at.other,
        effect: effectText(effect),
        title: must,
        why,
        source,
      };
    }),
    digest: digestOf(handover),
    lanes: memoryLanes(handover),
    spaces: iovaSpaces(handover),
  };
}

function effectText(effect: KernelEffect): string {
  return effect === 'none' ? '' : EFFECT_TEXT[effect];
}

function levelOf({ error, warning, note }: Verdict['counts']): Verdict['level'] {
  return error > 0 ? 'error' : warning > 0 ? 'warning' : note > 0 ? 'note' : 'ok';
}

/** Of a blob alone: is it sound as a container, and as its layout says? */
function judgeBlob(blob: SingleBlob | undefined): Pick<Analysis, 'verdict' | 'findings'> {
  const findings: ShownFinding[] = [];
  const tell = (
    rule: string,
    issue: {
      readonly message: string;
      readonly path?: string | undefined;
      readonly offset?: number | undefined;
    },
  ): void => {
    const { message, path, offset } = issue;
    findings.push({
      rule,
      severity: 'error',
      message,
      path,
      address: offset === undefined ? undefined : BigInt(offset),
      other: undefined,
      effect: '',
      title: '',
      why: '',
      source: '',
    });
  };
  const layout = blob?.identified?.version.layout;
  for (const issue of blob?.fdt?.issues ?? []) tell(`FDT_ERR_${issue.code}`, issue);
  if (blob !== undefined && layout !== undefined && findings.length === 0)
    for (const issue of check(layout, blob.bytes, { trailing: true }).issues) tell(issue.code, issue);
  const counts = { error: findings.length, warning: 0, note: 0 };
  const checked = (blob?.fdt === undefined ? 0 : 1) + (layout === undefined ? 0 : 1);
  return { verdict: { level: levelOf(counts), counts, effect: '', checked, skipped: [] }, findings };
}

/** How two sides differ; `undefined` where one of them is no handover. */
export function compareSides(a: OpenedSide, b: OpenedSide): HandoverDiff | undefined {
  if (a.handover === undefined || b.handover === undefined) return undefined;
  const { changes, notes } = diffHandovers(a.handover, b.handover);
  return { changes, notes };
}
