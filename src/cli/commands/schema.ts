// SPDX-License-Identifier: Apache-2.0
import { JSON_SCHEMA_VERSION } from '../../render/json-text.js';
import { releaseText } from '../../render/layout-note.js';
import { schemaChanges } from '../../render/schema-changes.js';
import type { SchemaForm } from '../../render/schema-form.js';
import { writeSchema, writeSchemaDiff, writeSchemaList } from '../../render/schema-text.js';
import { writeJsonValue } from '../../render/value-json.js';
import { describe } from '../../schemas/lang/describe.js';
import { versionName } from '../../schemas/lang/family.js';
import { fingerprint } from '../../schemas/lang/fingerprint.js';
import { families, type KnownVersion, versionsOf } from '../../schemas/registry.js';
import { type Command, defineCommand, type Io } from '../command.js';
import { EXIT } from '../exit-code.js';
import { UsageError } from '../failure.js';
import { requireSchemaName, schemaNames } from '../schema-argument.js';

/** `kho schema`. */
export const schema: Command = defineCommand({
  details: [
    'Layouts are declared once, per version, and everything that kho reads, writes or checks comes from these declarations. list has all versions with the kernels that write and accept them; show has one, as a table, a C header that asserts sizes and offsets, kernel documentation, a dt-schema document, a drawing of its bytes, or JSON; diff compares two, field by field.',
  ],
  examples: [
    ['schema list', 'all families and versions, and who writes them; --format md, rst: an index of pages'],
    ['schema show luo-v5', 'every field: offset, size, type, rules, what pointers lead to'],
    ['schema show memfd-v2 --format c', 'a C header that asserts sizes and offsets'],
    ['schema show memfd-v2 --format svg', 'a drawing of its bytes, to scale'],
    ['schema show luo-v5 --format md', 'its page of docs/reference: layout, rules, kernels, changes'],
    ['schema show kho-v4 --format dt-schema', 'a dt-schema document'],
    ['schema diff memfd v1 v2', 'what changed, field by field'],
    ['schema diff kho-v1=A kho-v1=B', 'two layouts of one version string'],
  ],
  exitCodes: '0 done or the same, 1 the layouts differ, 2 wrong usage',
  positionals: {
    action: { choices: ['list', 'show', 'diff'], demandOption: true, describe: 'what to do' },
    names: { type: 'string', array: true, describe: 'show: a version; diff: FAMILY V1 V2, or two versions' },
  },
  options: {
    format: {
      choices: ['text', 'json', 'md', 'svg', 'rst', 'dt-schema', 'yaml', 'c'],
      default: 'text',
      describe:
        'md: a page of the reference; svg: a byte map; rst: for kernel documentation; dt-schema (or yaml): for device trees; c: a header',
    },
    json: { type: 'boolean', default: false, describe: 'same as --format json' },
  },
  suggestions: { names: { words: schemaNames } },
  run: async ({ action, names = [], format: asked, json }, io) => {
    const format = json ? 'json' : asked;
    const forms: readonly Format[] = action === 'list' ? ['text', 'json', 'md', 'rst'] : ['text', 'json'];
    if (action !== 'show' && !forms.includes(format))
      throw new UsageError(`kho schema ${action} prints ${forms.join(', ')}`);
    if (action === 'list') return await list(names, format, io);
    return action === 'show' ? await show(names, format, io) : diff(names, format, io);
  },
});

type Format = SchemaForm | 'text' | 'json' | 'yaml';

async function list(names: readonly string[], format: Format, io: Io): Promise<number> {
  if (names.length > 0) throw new UsageError('kho schema list takes no names');
  if (format === 'text') writeSchemaList(io.stdout.write, families, io.paint);
  // What takes rules and kernels into account is loaded when it is asked for.
  else if (format === 'md')
    io.stdout.write((await import('../../render/reference-index.js')).referenceIndex());
  else if (format === 'rst')
    (await import('../../render/schema-rst.js')).writeSchemaIndexRst(io.stdout.write, families);
  else {
    const found = families.map(({ name, doc, mismatch, versions }) => {
      const rows = versions.map((version) => ({
        name: versionName(version),
        status: version.status,
        first: version.first,
        last: version.last,
        fingerprint: fingerprint(version.layout),
      }));
      return { name, doc, mismatch, versions: rows };
    });
    printJson({ kind: 'schemas', families: found }, io);
  }
  return EXIT.ok;
}

async function show(names: readonly string[], format: Format, io: Io): Promise<number> {
  const [name, ...rest] = names;
  if (name === undefined || rest.length > 0)
    throw new UsageError('expected kho schema show NAME', 'kho schema list');
  const { family, version } = oneVersion(name);
  const out = io.stdout.write;
  const { layout } = version;
  switch (format) {
    case 'json': {
      const { status, first, last, source, notes } = version;
      const about = { status, first, last, source, notes, releases: releaseText(version) };
      const members = { name: versionName(version), family: family.name, ...about };
      const fields = { fingerprint: fingerprint(layout), mismatch: family.mismatch, rows: describe(layout) };
      printJson({ kind: 'schema', ...members, ...fields }, io);
      break;
    }
    case 'text':
      writeSchema(out, family, version, io.paint);
      break;
    default: {
      const { schemaForm } = await import('../../render/schema-form.js');
      // `yaml` is what dt-schema was called first.
      const text = schemaForm({ family, version }, format === 'yaml' ? 'dt-schema' : format);
      if (text === undefined)
        throw new UsageError(`${versionName(version)} is a struct; dt-schema is for device trees`);
      out(text);
    }
  }
  return EXIT.ok;
}

function diff(names: readonly string[], format: Format, io: Io): number {
  const [first = '', second = '', third] = names;
  if (names.length < 2 || names.length > 3)
    throw new UsageError('expected kho schema diff FAMILY V1 V2, or two versions', 'kho schema list');
  // "memfd v1 v2" is short for "memfd-v1 memfd-v2".
  const [before, after] =
    third === undefined ? [first, second] : [inFamily(first, second), inFamily(first, third)];
  const [a, b] = [oneVersion(before), oneVersion(after)];
  const changes = schemaChanges(a.version, b.version);
  if (format === 'json') {
    const names = { before: versionName(a.version), after: versionName(b.version) };
    printJson({ kind: 'schema-diff', ...names, changes, same: changes.length === 0 }, io);
  } else {
    writeSchemaDiff(io.stdout.write, a.version, b.version, changes, io.paint);
  }
  return changes.length === 0 ? EXIT.ok : EXIT.findings;
}

/** The name of version `v1` of `family`. */
function inFamily(family: string, part: string): string {
  requireSchemaName(family);
  const found = families.find(({ name }) => name === family);
  const candidates = [part, `${family}-${part}`, `${family.replace(/-.*/, '')}-${part}`];
  const names = found?.versions.map(versionName) ?? [];
  const match = candidates.find((each) => names.some((name) => name === each || name.startsWith(`${each}=`)));
  if (match === undefined)
    throw new UsageError(`${family} has no version "${part}"; there are ${names.join(', ')}`);
  return match;
}

/** The one version of a name. @throws UsageError where there is none or several, with the names there are */
function oneVersion(name: string): KnownVersion {
  requireSchemaName(name);
  const found = versionsOf(name);
  const exact = found.find(({ version }) => versionName(version) === name);
  const all = found.length > 0 ? found : families.filter((each) => each.name === name).flatMap(versionsIn);
  const [only] = all;
  if (exact !== undefined) return exact;
  if (only !== undefined && all.length === 1) return only;
  const names = all.map(({ version }) => versionName(version)).join(', ');
  throw new UsageError(`${name} names several layouts: ${names}`);
}

function versionsIn(family: KnownVersion['family']): KnownVersion[] {
  return family.versions.map((version) => ({ family, version }));
}

function printJson(document: Readonly<Record<string, unknown>>, io: Io): void {
  writeJsonValue(io.stdout.write, { schemaVersion: JSON_SCHEMA_VERSION, ...document }, '');
  io.stdout.write('\n');
}
