// SPDX-License-Identifier: Apache-2.0
import { JsonReader } from '../kho/json-reader.js';
import { KERNEL_EFFECTS } from '../kho/verify.js';
import { isRecord } from '../schemas/lang/input.js';
import {
  CASE_FORMS,
  type ExpectedOutcome,
  type FuzzCase,
  type FuzzManifest,
  type OperatorUse,
} from './manifest.js';

const VERDICTS = ['valid', 'invalid'] as const satisfies readonly ExpectedOutcome['verdict'][];

/**
 * The manifest in parsed JSON. Members that nobody knows are passed over: a later release may have more to say.
 *
 * @throws BuildError BAD_DESCRIPTION, with the path of the member, for one that is missing, of another kind, or for a
 * file name that leads out of the folder
 */
export function readManifest(json: unknown): FuzzManifest {
  const member = membersOf(new JsonReader(json));
  const version = member('schemaVersion');
  if (version.json !== 1) version.fail('1');
  const kind = member('kind');
  if (kind.json !== 'fuzz-cases') kind.fail('"fuzz-cases"');
  return {
    schemaVersion: 1,
    kind: 'fuzz-cases',
    kho: member('kho').text(),
    seed: member('seed').number(),
    schema: member('schema').text(),
    form: oneOf(member('form'), CASE_FORMS),
    cases: member('cases').list(readCase),
  };
}

function readCase(reader: JsonReader): FuzzCase {
  const member = membersOf(reader);
  const sha256 = member('sha256');
  if (!/^[0-9a-f]{64}$/.test(sha256.text())) sha256.fail('64 hex digits');
  const areas = member('areas').optional(fileName);
  return {
    file: fileName(member('file')),
    repro: member('repro').text(),
    schema: member('schema').text(),
    operators: member('operators').list(readOperator),
    expected: readExpected(member('expected')),
    ...(areas === undefined ? {} : { areas }),
    bytes: member('bytes').number(),
    sha256: sha256.text(),
  };
}

function readOperator(reader: JsonReader): OperatorUse {
  const member = membersOf(reader);
  return {
    id: member('id').text(),
    family: member('family').text(),
    at: member('at').text(),
    detail: member('detail').text(),
  };
}

function readExpected(reader: JsonReader): ExpectedOutcome {
  const member = membersOf(reader);
  const effect = member('effect').optional((each) => oneOf(each, KERNEL_EFFECTS));
  return {
    verdict: oneOf(member('verdict'), VERDICTS),
    rules: member('rules').list((rule) => rule.text()),
    ...(effect === undefined ? {} : { effect }),
  };
}

/** The members of an object, whichever it has. */
function membersOf(reader: JsonReader): (name: string) => JsonReader {
  const { json } = reader;
  return reader.members(...(isRecord(json) ? Object.keys(json) : []));
}

function oneOf<T extends string>(reader: JsonReader, choices: readonly T[]): T {
  const found = reader.text();
  return choices.find((choice) => choice === found) ?? reader.fail(`one of ${choices.join(', ')}`);
}

/** A name in the folder itself: a manifest must not make us read, or hand out, files elsewhere. */
function fileName(reader: JsonReader): string {
  const name = reader.text();
  const bad = name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name);
  return bad ? reader.fail('the name of a file in the folder') : name;
}
