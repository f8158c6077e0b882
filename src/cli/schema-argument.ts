// SPDX-License-Identifier: Apache-2.0
// Layouts as users name them on the command line.
import { versionName } from '../schemas/lang/family.js';
import { families, versionsOf } from '../schemas/registry.js';
import { UsageError } from './failure.js';
import { closestWord } from './suggest.js';

/** Every name that `--schema` and `kho schema` take. */
export function schemaNames(): readonly string[] {
  const names = families.flatMap(({ name, versions }) => [
    name,
    ...versions.map((version) => version.name ?? version.key),
    ...versions.map(versionName),
  ]);
  return [...new Set(names)];
}

/** Every value of `--variant`. */
export function variantNames(): readonly string[] {
  return families.flatMap(({ versions }) =>
    versions.flatMap((version) => (version.variant === undefined ? [] : [versionName(version)])),
  );
}

/** Refuses a name that is none of a family or version. @throws UsageError */
export function requireSchemaName(name: string): void {
  const names = schemaNames();
  if (names.includes(name)) return;
  const close = closestWord(name, names);
  const hint = close === undefined ? 'see kho schema list' : `did you mean "${close}"?`;
  throw new UsageError(`there is no layout "${name}", ${hint}`);
}

/**
 * The values of `--variant`, such as `kho-v1=B`: version string to variant.
 *
 * @throws UsageError for what names no variant
 */
export function variantChoices(words: readonly string[] | undefined): ReadonlyMap<string, string> {
  const choices = new Map<string, string>();
  for (const word of words ?? []) {
    const [, key = word, variant = ''] = /^(.+)=([^=]+)$/s.exec(word) ?? [];
    const known = versionsOf(key).flatMap(({ version }) => (version.variant === undefined ? [] : [version]));
    if (!known.some((version) => version.variant === variant)) {
      const names = known.map(versionName).join(', ');
      const hint =
        names === '' ? 'expected a version string and its variant, as kho-v1=B' : `there are ${names}`;
      throw new UsageError(`no variant "${word}"; ${hint}`);
    }
    choices.set(key, variant);
  }
  return choices;
}
