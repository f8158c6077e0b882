// SPDX-License-Identifier: Apache-2.0
// Which whole handovers the cases of a schema are made of.
import { kernelSet, knownKernels, RFC_2024 } from '../kho/kernel-set.js';
import { versionName } from '../schemas/lang/family.js';
import { versionsOf } from '../schemas/registry.js';
import { fuzzError } from './error.js';
import type { DescribedKernel } from './handover-descriptions.js';
import { IMAGE_OPERATORS } from './operator-table.js';

/** What handovers are made of, and which part of them is damaged. */
export interface ImageTarget {
  /** Kernels that hand over; cases take turns. */
  readonly kernels: readonly DescribedKernel[];
  /** The family of layouts whose part is damaged; `undefined` for all. */
  readonly family: string | undefined;
}

/** What stands for any handover, or for one of a kernel: `handover`, `handover-7.3`. */
export const HANDOVER = 'handover';

/** Kernels whose handovers differ, newest first: what all kernels that are known do, and 7.2. */
function allKernels(): readonly DescribedKernel[] {
  const names = knownKernels().map(({ name }) => name);
  return names.reverse().map((kernel) => ({ kernel }));
}

/** Families that operators damage. */
const damaged: ReadonlySet<string> = new Set(IMAGE_OPERATORS.flatMap(({ on }) => on));

/** The release whose handover a version goes into that no release writes. */
function hostOf(family: string, key: string): DescribedKernel['kernel'] {
  if (family === 'kho-root')
    return key.startsWith('kho-v1') ? '7.0' : key.startsWith('kho-v4') ? '7.3' : '7.1';
  return '7.3';
}

/**
 * What a schema says of whole handovers.
 *
 * @param schema - `handover`, `handover-KERNEL`, or the name of a version as `kho schema list` shows it
 * @throws FuzzError UNKNOWN_SCHEMA, UNSUPPORTED
 */
export function imageTarget(schema: string): ImageTarget {
  if (schema === HANDOVER) return { kernels: allKernels(), family: undefined };
  if (schema.startsWith(`${HANDOVER}-`)) {
    const kernel = schema.slice(HANDOVER.length + 1);
    if (kernelSet(kernel) === undefined)
      throw fuzzError(
        'UNKNOWN_SCHEMA',
        `there is no kernel "${kernel}": a release from 6.16 on, or rfc-2024`,
      );
    return { kernels: [{ kernel }], family: undefined };
  }
  const known = versionsOf(schema);
  const own = known.find(({ version }) => versionName(version) === schema) ?? known.at(-1);
  if (own === undefined) throw fuzzError('UNKNOWN_SCHEMA', `there is no layout "${schema}"`);
  const { family, version } = own;
  if (!damaged.has(family.name))
    throw fuzzError('UNSUPPORTED', `no whole handovers are made with ${schema}: take --form blob`);
  const writer = knownKernels().findLast(({ writes }) => writes.some((each) => each.version === version));
  if (writer !== undefined) return { kernels: [{ kernel: writer.name }], family: family.name };
  if (version.status === 'rfc' && family.name !== 'kho-root')
    return { kernels: [{ kernel: RFC_2024 }], family: family.name };
  const kernel = hostOf(family.name, version.key);
  return { kernels: [{ kernel, versions: [versionName(version)] }], family: family.name };
}
