// SPDX-License-Identifier: Apache-2.0
// The page of the reference about one version, as Markdown: made of its declaration and of what is known of kernels.
import { formatHex } from '../bytes/hex.js';
import { openFdt } from '../fdt/fdt.js';
import { type Acceptance, acceptanceOf } from '../kho/acceptance.js';
import { rulesFor } from '../kho/rules/concerns.js';
import { cTypeName } from '../schemas/lang/c-type.js';
import { type DescriptionRow, describe } from '../schemas/lang/describe.js';
import { type Version, versionName } from '../schemas/lang/family.js';
import { fingerprint } from '../schemas/lang/fingerprint.js';
import { sizeOf } from '../schemas/lang/size.js';
import type { Layout } from '../schemas/lang/type.js';
import type { KnownVersion } from '../schemas/registry.js';
import { type KnownStep, steps } from '../schemas/steps.js';
import { COMPAT_EFFECTS } from './compat-text.js';
import { writeHex, writeStructHex } from './hex-text.js';
import { MISMATCH_TEXT, releaseText } from './layout-note.js';
import { markdownBlock, markdownCode, markdownTable, markdownText } from './markdown.js';
import { layoutsOf, namedRows } from './named-layouts.js';
import { plainPaint } from './paint.js';
import { referenceName } from './reference-name.js';
import { schemaChanges } from './schema-changes.js';
import { count } from './size.js';
import { EFFECT_TEXT } from './verify-text.js';

/** Bytes of a version that somebody else wrote, to be shown as an example. */
export interface ReferenceSample {
  /** The layout of the version, or one that it leads to. */
  readonly layout: Layout;
  readonly bytes: Uint8Array;
  /** Where the bytes are from: a sentence without its end. */
  readonly origin: string;
}

/** Lines of an example at most. */
const MOST_LINES = 120;

/**
 * The page of a version.
 *
 * @param samples - examples to show; `undefined` leaves the section out, none says that there are none
 */
export function referencePage(known: KnownVersion, samples: readonly ReferenceSample[] | undefined): string {
  const { version } = known;
  const name = referenceName(version);
  const parts = [
    `# ${markdownText(versionName(version))}`,
    summary(known),
    `## Byte map\n\nFields to scale, what repeats left out; each says more when pointed at in the drawing itself.\n\n[![Byte map of ${markdownText(versionName(version))}](${name}.svg)](${name}.svg)`,
    `## Layout\n\n${layoutText(version)}`,
    rulesText(known),
    kernelsText(known),
    historyText(known),
    ...(samples === undefined ? [] : [examplesText(samples)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** What tells the version of a family, in words. */
export const VERSION_KEY_TEXT = {
  compatible: 'property `compatible` of the root node',
  chars: 'a string in the struct',
  u32: 'a number in the struct',
  name: 'a string beside the pointer',
  implied: 'what leads there',
} as const;

/** Whether a version is an FDT or a struct, and how long, in words. */
export function formText({ layout }: Version): string {
  if (layout.kind === 'node') return 'FDT';
  const size = sizeOf(layout);
  return size === undefined ? 'struct' : `struct of ${count(size, 'byte')}`;
}

function summary({ family, version }: KnownVersion): string {
  const quoted = `'${versionName(version)}'`;
  const shell = /^[\w.-]+$/.test(versionName(version)) ? versionName(version) : quoted;
  const formats = ['c', 'rst', ...(version.layout.kind === 'node' ? ['dt-schema'] : []), 'json'];
  const rows = [
    ['family', `[${family.name}](README.md#${family.name})`],
    ['written by', markdownText(releaseText(version))],
    ['form', formText(version)],
    ['told by', `${VERSION_KEY_TEXT[family.key.by]}${keyText(version)}`],
    ['other versions', MISMATCH_TEXT[family.mismatch]],
    ['declared after', markdownText(version.source)],
    ...(version.notes === undefined ? [] : [['notes', markdownText(version.notes)]]),
    ['fingerprint', markdownCode(fingerprint(version.layout))],
    ['other forms', `\`kho schema show ${shell} --format FORM\`, FORM being ${formats.join(', ')}`],
  ];
  return `${markdownText(family.doc)}\n\n${markdownTable(['', ''], rows)}`;
}

function keyText({ key, variant }: Version): string {
  const shared = variant === undefined ? '' : '; other layouts have the same';
  return `: ${markdownCode(key)}${shared}`;
}

function layoutText(version: Version): string {
  return layoutsOf(version)
    .map(({ name, layout }) => {
      const rows = layout.kind === 'array' ? namedRows({ name, layout }) : describe(layout);
      const title = layout.kind === 'node' ? 'The tree' : blockTitle(layout, name);
      return `### ${title}\n\n${rowsTable(rows, layout.kind === 'node')}`;
    })
    .join('\n\n');
}

function blockTitle(layout: Layout, name: string): string {
  if (layout.kind === 'node') return 'tree';
  if (layout.kind === 'array') return `Array of ${markdownText(cTypeName(layout.of))}`;
  const times = / \d+$/.exec(name)?.[0] ?? '';
  return `${markdownText(cTypeName(layout))}${times === '' ? '' : ` (${times.trim()})`}`;
}

function rowsTable(rows: readonly DescriptionRow[], isNode: boolean): string {
  const place = isNode ? [] : ['offset'];
  return markdownTable(
    [...place, 'size', 'type', 'name', 'meaning', 'rules'],
    rows.map((row) => [
      ...(isNode ? [] : [row.offset === undefined ? '' : formatHex(row.offset)]),
      row.size === undefined ? '' : `${row.size}`,
      markdownCode(row.type),
      markdownCode(row.path),
      markdownText(meaning(row)),
      markdownText([...row.rules, ...(row.optional ? ['may be missing'] : [])].join('; ')),
    ]),
  );
}

function meaning({ doc, unit, names, target }: DescriptionRow): string {
  const parts = [
    ...(doc === '' ? [] : [doc.replace(/\.$/, '')]),
    ...(unit === undefined ? [] : [`in ${unit}`]),
    ...(target === undefined ? [] : [`→ ${target}`]),
    ...(names.length === 0 ? [] : [names.join(', ')]),
  ];
  return parts.join('; ');
}

function rulesText({ family, version }: KnownVersion): string {
  const rules = rulesFor(family, version);
  const values =
    'The rules in the tables above hold for each value; `kho verify` tells those that are broken, with their places.';
  if (rules.length === 0) return `## Rules\n\n${values}`;
  const rows = rules.map(({ id, severity, title, effect }) => [
    `[${id}](../verify.md#${id})`,
    severity,
    markdownText(title),
    markdownText(EFFECT_TEXT[effect]),
  ]);
  const table = markdownTable(['rule', 'severity', 'what must hold', 'where it does not'], rows);
  return `## Rules\n\n${values} In a whole handover, these are checked as well:\n\n${table}`;
}

function kernelsText(known: KnownVersion): string {
  const { status } = known.version;
  if (status === 'proposed') return '## Kernels\n\nNo kernel writes or reads it: this project proposes it.';
  const rows: { kernels: string[]; writes: boolean; text: string; why: string }[] = [];
  for (const { kernel, writes, outcome } of acceptanceOf(known)) {
    const text = acceptanceText(outcome.effect);
    const last = rows.at(-1);
    if (last?.writes === writes && last.text === text && last.why === outcome.why) last.kernels.push(kernel);
    else rows.push({ kernels: [kernel], writes, text, why: outcome.why });
  }
  const table = markdownTable(
    ['kernels', 'write it', 'when it is handed to them', 'why'],
    rows.map(({ kernels, writes, text, why }) => [
      kernels.map(markdownText).join(', '),
      writes ? 'yes' : 'no',
      text,
      markdownText(why),
    ]),
  );
  return `## Kernels\n\nA name stands for the releases from it up to the next. Judged by itself: as if nothing that leads to it were refused ([how this is known](../compat.md)).\n\n${table}`;
}

function acceptanceText(effect: Acceptance['outcome']['effect']): string {
  return effect === 'restored' ? 'accepted' : COMPAT_EFFECTS[effect][1];
}

/** Versions to compare with: the one declared before, and the one in a release before, where that is another. */
function versionsBefore({ family, version }: KnownVersion): readonly Version[] {
  const before = family.versions.slice(0, family.versions.indexOf(version));
  const nearest = before.at(-1);
  const released = before.findLast(({ status }) => status === 'merged');
  const isReleased = version.status === 'merged' && released !== undefined && released !== nearest;
  return [...(isReleased ? [released] : []), ...(nearest === undefined ? [] : [nearest])];
}

function historyText(known: KnownVersion): string {
  const { family, version } = known;
  const index = family.versions.indexOf(version);
  const next = family.versions[index + 1];
  const before = versionsBefore(known);
  const first = before.length === 0 ? ['The oldest version that is declared.'] : [];
  const parts = before.map((each) => changesText(each, version));
  const after = next === undefined ? [] : [`Next: ${link(next)}.`];
  return ['## What changed', ...first, ...parts, ...stepsText(version), ...after].join('\n\n');
}

function link(version: Version): string {
  return `[${markdownText(versionName(version))}](${referenceName(version)}.md)`;
}

function changesText(before: Version, after: Version): string {
  const changes = schemaChanges(before, after);
  const title = `From ${link(before)} (${markdownText(releaseText(before))})`;
  if (changes.length === 0) return `${title}: no field changed.`;
  const rows = changes.map(({ kind, path, what }) => [kind, markdownCode(path), markdownText(what)]);
  const kinds = (['added', 'removed', 'changed', 'moved'] as const).flatMap((kind) => {
    const found = changes.filter((each) => each.kind === kind).length;
    return found === 0 ? [] : [`${found} ${kind}`];
  });
  return `${title}: ${kinds.join(', ')}.\n\n${markdownTable(['', 'field', 'change'], rows)}`;
}

function stepsText(version: Version): string[] {
  const found = steps.filter(({ from, to }) => from === version || to === version);
  if (found.length === 0) return [];
  const line = ({ from, to, step }: KnownStep): string => {
    const limit = step.limit === undefined ? '' : ` At most: ${step.limit}.`;
    const way = `${markdownText(versionName(from))} → ${markdownText(versionName(to))}`;
    const doc = markdownText(step.doc).replace(/\.$/, '');
    return `- ${way}, ${step.lossless ? 'nothing is lost' : '**something is lost**'}: ${doc}.${markdownText(limit)}`;
  };
  return [`Values can be converted ([migration](../migrate.md)):\n\n${found.map(line).join('\n')}`];
}

function examplesText(samples: readonly ReferenceSample[]): string {
  if (samples.length === 0)
    return '## Example\n\nThere is no capture of this version: no bytes of it that somebody else wrote are at hand.';
  const parts = samples.map((sample) => {
    const { origin, bytes } = sample;
    return `${titleOf(sample)}${markdownText(origin)}, ${count(bytes.length, 'byte')}:\n\n${markdownBlock(hexdump(sample))}`;
  });
  return `## Example\n\nEvery byte: offset, bytes, text, and the field that they are. A line \`*\` stands for lines like the one before.\n\n${parts.join('\n\n')}`;
}

function titleOf({ layout }: ReferenceSample): string {
  return layout.kind === 'node' ? '' : `### Bytes of ${blockTitle(layout, '')}\n\n`;
}

function hexdump({ layout, bytes }: ReferenceSample): string {
  const lines: string[] = [];
  const out = (text: string): number => lines.push(text);
  if (layout.kind === 'node') writeHex(out, openFdt(bytes), layout, plainPaint);
  else writeStructHex(out, layout, bytes, plainPaint);
  const left = lines.length - MOST_LINES;
  if (left <= 1) return lines.join('');
  return `${lines.slice(0, MOST_LINES).join('')}… ${left} lines more\n`;
}
