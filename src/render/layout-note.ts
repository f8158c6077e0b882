// SPDX-License-Identifier: Apache-2.0
// Which layout was taken, how sure that is and why, in words and as JSON.
import type { Identified } from '../schemas/identify.js';
import { type Family, type Version, versionName } from '../schemas/lang/family.js';
import { jsonString } from './json-text.js';

/** A version and who writes it: `kho-v1=B (Linux 6.17.9 to 7.0)`. */
export function versionText(version: Version): string {
  return `${versionName(version)} (${releaseText(version)})`;
}

/** Who writes a version: `Linux 7.2 on`, `Linux 6.16 to 7.0`, `RFC`. */
export function releaseText({ status, first, last }: Version): string {
  if (status === 'rfc') return 'RFC';
  if (status === 'proposed') return 'proposed here';
  if (status === 'list') return 'mailing list only';
  if (status === 'unreleased' || first === undefined) return 'in no release';
  if (last === undefined) return `Linux ${first} on`;
  return first === last ? `Linux ${first}` : `Linux ${first} to ${last}`;
}

/** What a kernel does with a version that it does not know. */
export const MISMATCH_TEXT: Readonly<Record<Family['mismatch'], string>> = {
  ignored: 'a kernel that does not know the version ignores it with a warning',
  fresh: 'a kernel that does not know the version allocates afresh',
  'open-fails': 'in a kernel that does not know the version, opening the session fails',
  panic:
    'a kernel that does not know the version panics (Linux 7.2 on; before, the subsystem does not start)',
};

/** Why a layout was taken, where another could have been: a line without its end, '' where the string says it all. */
export function layoutNote({ version, confidence, because, alternatives, family }: Identified): string {
  const several = family.versions.filter(({ key }) => key === version.key).length > 1;
  if (confidence === 'certain' && !several) return '';
  const others = alternatives.map((name) => `--variant ${name}`).join(', ');
  const how = {
    certain: 'certain',
    evidence: 'by evidence',
    likely: 'likely, not certain',
    poor: 'a poor fit',
  }[confidence];
  return `layout ${versionName(version)}: ${how}; ${because}${others === '' ? '' : `; see also ${others}`}`;
}

/** A layout that was taken, as a JSON object. */
export function jsonLayout(identified: Identified | undefined): string {
  if (identified === undefined) return 'null';
  const { version, family, confidence, because, alternatives } = identified;
  const list = alternatives.map(jsonString).join(', ');
  return `{"name": ${jsonString(versionName(version))}, "family": ${jsonString(family.name)}, "confidence": "${confidence}", "because": ${jsonString(because)}, "alternatives": [${list}]}`;
}
