// SPDX-License-Identifier: Apache-2.0
// The first page of the reference, as Markdown: all families and versions, and what kernels make of each other's handovers.

import { acceptanceOf } from '../kho/acceptance.js';
import { type CompatVerdict, predictHandover, verdictOf } from '../kho/compat.js';
import { knownKernels } from '../kho/kernel-set.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { fingerprint } from '../schemas/lang/fingerprint.js';
import { families } from '../schemas/registry.js';
import { MISMATCH_TEXT, releaseText } from './layout-note.js';
import { markdownCode, markdownTable, markdownText } from './markdown.js';
import { layoutsOf } from './named-layouts.js';
import { referenceName } from './reference-name.js';
import { formText, VERSION_KEY_TEXT } from './reference-page.js';

/** What a handover comes to, for the cells of the matrix. */
const VERDICTS: Readonly<Record<CompatVerdict, readonly [cell: string, meaning: string]>> = {
  restored: ['restored', 'everything is taken up'],
  unclaimed: ['restored, some unread', 'something is not read: its memory stays reserved, nobody claims it'],
  refused: ['refused', 'the root is taken, something above it is refused'],
  'plain-boot': ['plain boot', 'the root is refused: nothing stays reserved'],
  misread: ['**misread**', 'something is taken for what it is not'],
};

/** The first page. */
export function referenceIndex(): string {
  const versions = families.reduce((sum, family) => sum + family.versions.length, 0);
  return `# Reference

All layouts that kernels hand over, and those that were posted: ${families.length} families, ${versions} versions. Each version has a page: its
bytes as a table and as a drawing, rules, kernels, what changed from the version before, and an example. All of it is
made from the declarations in \`src/schemas/abi\` (\`KHO_RECORD=1 npx vitest run test/docs/reference\`); \`kho schema show NAME\`
prints the same, also as a C header, as kernel documentation (RST) and as dt-schema.

${markdownTable(['family', 'what', 'versions'], families.map(familyRow))}

## A handover

What one handover of Linux 7.3.4 leads to, things of one kind counted (\`fixtures/kernel-7.3.4/kho-luo.trimmed.elf\`, without
its boot entry). \`kho graph IMAGE --format svg\` draws that of any memory image.

[![What a handover leads to, by kind](handover.svg)](handover.svg)

## Compatibility

What the kernel of a column makes of what the kernel of a row hands over. A name stands for the releases from it up to the
next; \`rfc-2024\` is the kernel of the RFC. Below the diagonal is rollback. \`kho compat FROM TO\` says why
([how this is known](../compat.md)).

${matrix()}

${legend()}

${families.map(familySection).join('\n\n')}
`;
}

function familyRow({ name, doc, versions }: Family): string[] {
  return [`[${name}](#${name})`, markdownText(doc), versions.map(link).join(', ')];
}

function link(version: Version): string {
  return `[${markdownText(versionName(version))}](${referenceName(version)}.md)`;
}

function matrix(): string {
  const kernels = knownKernels();
  const rows = kernels.map((from) => [
    `**${from.name}**`,
    ...kernels.map((to) => VERDICTS[verdictOf(predictHandover(from, to))][0]),
  ]);
  return markdownTable(['from \\ to', ...kernels.map(({ name }) => name)], rows);
}

function legend(): string {
  return Object.values(VERDICTS)
    .map(([cell, meaning]) => `- ${cell}: ${meaning}`)
    .join('\n');
}

function familySection(family: Family): string {
  const { name, doc, key, mismatch, versions } = family;
  const rows = versions.map((version) => [
    link(version),
    markdownText(releaseText(version)),
    acceptedBy(family, version),
    formText(version),
    structs(version),
    markdownCode(fingerprint(version.layout)),
  ]);
  const head = ['version', 'written by', 'accepted by', 'form', 'structs', 'fingerprint'];
  const isWritten = versions.some(({ status }) => status !== 'proposed');
  const unknown = isWritten ? `; ${MISMATCH_TEXT[mismatch]}` : '';
  return `## ${name}\n\n${markdownText(doc)} The version is told by ${VERSION_KEY_TEXT[key.by]}${unknown}.\n\n${markdownTable(head, rows)}`;
}

function acceptedBy(family: Family, version: Version): string {
  const found = version.status === 'proposed' ? [] : acceptanceOf({ family, version });
  const names = found.flatMap(({ kernel, outcome: { effect, reads } }) => {
    if (effect !== 'restored') return [];
    return reads.includes(versionName(version)) ? [kernel] : [`${kernel} (as ${reads.join(', ')})`];
  });
  return names.length === 0 ? 'none' : names.join(', ');
}

function structs(version: Version): string {
  const names = layoutsOf(version).flatMap(({ layout }) =>
    layout.kind === 'struct' ? [markdownCode(layout.name)] : [],
  );
  return [...new Set(names)].join(', ');
}
