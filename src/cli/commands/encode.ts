// SPDX-License-Identifier: Apache-2.0

import { formatIssue } from '../../bytes/issue.js';
import { escapeText } from '../../bytes/printable.js';
import { valueFromJson } from '../../schemas/json-value.js';
import { check } from '../../schemas/lang/check.js';
import { encodeUnchecked } from '../../schemas/lang/encode.js';
import type { SchemaIssue } from '../../schemas/lang/error.js';
import { versionName } from '../../schemas/lang/family.js';
import { isRecord } from '../../schemas/lang/input.js';
import { type KnownVersion, versionsOf } from '../../schemas/registry.js';
import { type Command, defineCommand } from '../command.js';
import { EXIT } from '../exit-code.js';
import { inFile, UsageError } from '../failure.js';
import { readInput } from '../input.js';
import { parseJson } from '../json-input.js';
import { isSameFile, replaceFile } from '../output-file.js';
import { requireSchemaName, schemaNames } from '../schema-argument.js';

/** `kho encode`. */
export const encode: Command = defineCommand({
  details: [
    'Takes the JSON that kho dump writes, whole or with values changed, and writes the blob as a kernel of that version would: the same order, the same padding, the same strings. A value that does not fit its field is refused; one that only breaks a rule of its layout is written and told, since whoever tests a kernel wants such blobs.',
  ],
  examples: [
    ['encode --schema luo-v5 luo.json -o luo.bin', 'a packed struct'],
    ['dump fdt --json | kho encode - -o copy.dtb', 'the same bytes again: the layout is in the JSON'],
    ['encode --schema kho-v1=B root.json > root.dtb', 'as the kernels of that layout would write it'],
  ],
  exitCodes: '0 encoded, 1 encoded, though it breaks a rule of its layout, 2 not encoded',
  positionals: {
    values: { type: 'string', demandOption: true, describe: 'JSON of kho dump --json, or - for stdin' },
  },
  options: {
    schema: {
      type: 'string',
      describe: 'version to encode as, see kho schema list; default: what the JSON says',
    },
    out: { alias: 'o', type: 'string', describe: 'write here (complete or not at all); default stdout' },
    capacity: { type: 'number', default: 4096, describe: 'bytes of the page in which kernels change an FDT' },
    force: { type: 'boolean', default: false, describe: 'binary even to a terminal' },
  },
  suggestions: { schema: { words: schemaNames } },
  run: ({ values: file, schema, out, capacity, force }, io) => {
    if ((out === undefined || out === '-') && io.isTerminal && !force)
      throw new UsageError('a blob is binary and does not go to a terminal; use -o FILE or --force');
    if (out !== undefined && isSameFile(out, file))
      throw new UsageError(`${out} holds the values; it is not overwritten`);
    if (!(Number.isInteger(capacity) && capacity > 0 && capacity <= 0x4000_0000))
      throw new UsageError('--capacity takes a whole number from 1 to 1 GiB');
    if (schema !== undefined) requireSchemaName(schema);
    const document = parseJson(file, readInput(file));
    const isDump = isRecord(document) && isRecord(document['layout']) && 'value' in document;
    const named = isDump && isRecord(document['layout']) ? document['layout']['name'] : undefined;
    const name = schema ?? (typeof named === 'string' ? named : undefined);
    if (name === undefined) throw new UsageError('the JSON does not say its layout; name it with --schema');
    const { version } = versionNamed(name);
    const bytes = inFile(file, () => {
      const value = valueFromJson(version.layout, isDump ? document['value'] : document);
      return encodeUnchecked(version.layout, value, { capacity });
    });
    if (out === undefined || out === '-') io.stdout.writeBytes(bytes);
    else inFile(out, () => replaceFile(out, bytes));
    const broken: readonly SchemaIssue[] = check(version.layout, bytes).issues;
    const label = escapeText(file === '-' ? 'stdin' : file);
    for (const issue of broken) io.stderr.write(`kho: ${label}: broken rule: ${formatIssue(issue)}\n`);
    return broken.length === 0 ? EXIT.ok : EXIT.findings;
  },
});

/** The one version of a name. @throws UsageError where it names several */
function versionNamed(name: string): KnownVersion {
  const found = versionsOf(name);
  const [only] = found;
  const exact = found.find(({ version }) => versionName(version) === name);
  if (exact !== undefined) return exact;
  if (only !== undefined && found.length === 1) return only;
  const names = found.map(({ version }) => versionName(version)).join(', ');
  throw new UsageError(
    names === ''
      ? `there is no version "${name}", see kho schema list`
      : `${name} names several layouts: ${names}`,
  );
}
