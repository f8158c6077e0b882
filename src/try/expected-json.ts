// SPDX-License-Identifier: Apache-2.0
// Sessions that should come back, as somebody else recorded them: docs/try.md describes the file.
import { JsonReader } from '../kho/json-reader.js';
import { isRecord } from '../schemas/lang/input.js';
import type { ExpectedFile, ExpectedSession } from './expected.js';

/**
 * Reads the members `sessions_in_creation_order` (names; may be left out) and `memfds` (`session`, `token`, and `size`,
 * `seals`, `pos`, `sha256` as far as they are known); others are passed over.
 *
 * @throws BuildError BAD_DESCRIPTION with the path of what is wrong
 *
 * @example
 * ```ts
 * import { expectedSessionsFromJson } from 'kho-toolkit/try';
 *
 * const [session] = expectedSessionsFromJson({ memfds: [{ session: 'vm', token: 1, size: 4096 }] });
 * console.log(session?.name, session?.files[0]?.size); // vm 4096n
 * ```
 */
export function expectedSessionsFromJson(json: unknown): ExpectedSession[] {
  const known = isRecord(json) ? { memfds: json['memfds'], names: json['sessions_in_creation_order'] } : json;
  const member = new JsonReader(known).members('memfds', 'names');
  const sessions = new Map<string, ExpectedFile[]>();
  for (const name of member('names').optional((names) => names.list((each) => each.text())) ?? [])
    sessions.set(name, []);
  for (const { session, file } of member('memfds').list(memfd)) {
    const files = sessions.get(session);
    if (files === undefined) sessions.set(session, [file]);
    else files.push(file);
  }
  return [...sessions].map(([name, files]) => ({ name, files }));
}

function memfd(reader: JsonReader): { readonly session: string; readonly file: ExpectedFile } {
  const { json } = reader;
  if (!isRecord(json)) reader.fail('an object');
  const member = (name: string): JsonReader => new JsonReader(json[name], `${reader.path}.${name}`);
  return {
    session: member('session').text(),
    file: {
      token: member('token').big(),
      size: member('size').optional((each) => each.big()),
      seals: member('seals').optional((each) => each.number(0xffff_ffff)),
      position: member('pos').optional((each) => each.big()),
      sha256: member('sha256').optional((each) => each.text()),
    },
  };
}
