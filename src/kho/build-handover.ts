// SPDX-License-Identifier: Apache-2.0
import { quoteName } from '../bytes/printable.js';
import { HandoverBuilder } from './build.js';
import { mapDomain } from './build-domain.js';
import { badDescription } from './build-error.js';
import type { BuiltHandover } from './built-handover.js';
import type { FileDescription, HandoverDescription } from './handover-description.js';
import type { PlannedFile } from './write-luo.js';

/**
 * Makes a handover from a description.
 *
 * @throws BuildError with the path of the member; SchemaError for a value that a format cannot hold
 */
export function buildHandover(description: HandoverDescription): BuiltHandover {
  const builder = new HandoverBuilder(description);
  const { reserveMem = [], sessions = [], objects = [], preserve = [], subtrees = [] } = description;
  // What is to be at a place comes first, while it is free.
  const placed = preserve.map((what, index) => [what, `preserve[${index}]`] as const);
  for (const [what, path] of placed) if ('start' in what) builder.preserve(what, path);
  for (const [index, region] of reserveMem.entries()) builder.reserveMemory(region, `reserveMem[${index}]`);
  const names = new Set<string>();
  for (const [index, { name, count, files = [] }] of sessions.entries()) {
    const path = `sessions[${index}]`;
    for (let copy = 0; copy < (count ?? 1); copy++) {
      const copyName = count === undefined ? name : `${name}-${copy}`;
      if (names.has(copyName))
        throw badDescription(`${path}.name`, 'a name not used before', `"${quoteName(copyName)}"`);
      names.add(copyName);
      builder.session(copyName, filesOf(builder, files, path), path);
    }
  }
  for (const [index, object] of objects.entries()) builder.object(object, `objects[${index}]`);
  for (const [what, path] of placed) if (!('start' in what)) builder.preserve(what, path);
  for (const [index, { name, bytes }] of subtrees.entries())
    builder.subtree(name, bytes, `subtrees[${index}]`);
  for (const [index, iommufd] of (description.iommufds ?? []).entries())
    builder.iommufd(iommufd, `iommufds[${index}]`);
  for (const [index, domain] of (description.domains ?? []).entries()) {
    const path = `domains[${index}]`;
    const own = description.iommufds?.find(({ id }) => id === domain.id);
    const areas = (own?.ioases ?? []).flatMap((ioas) => ioas.areas);
    builder.domain(mapDomain(domain, areas, builder.space, path), path);
  }
  return builder.finish(description);
}

function filesOf(builder: HandoverBuilder, files: readonly FileDescription[], path: string): PlannedFile[] {
  const made: PlannedFile[] = [];
  for (const [index, file] of files.entries()) {
    const { token = BigInt(made.length), count = 1 } = file;
    for (let copy = 0; copy < count; copy++)
      made.push({ ...builder.memfd(file, `${path}.files[${index}]`), token: token + BigInt(copy) });
  }
  return made;
}
