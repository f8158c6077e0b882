// SPDX-License-Identifier: Apache-2.0
// Which rules look at which format.

import type { Family, Version } from '../../schemas/lang/family.js';
import { requiredType } from '../../schemas/lang/read-node.js';
import { partsOf, relatedLayouts } from '../../schemas/lang/related.js';
import type { Layout } from '../../schemas/lang/type.js';
import type { Rule } from './rule.js';
import { RULES } from './table.js';

const ENTRY = ['root-fdt', 'setup-data', 'scratch-regions'];
// Whether its values keep their rules is the business of luo-values, not of blob-layout.
const LUO = ['luo-'];
const DOMAINS = ['domain-', 'device-', 'context-'];

/** How the ids of the rules begin that look at a family, by its name. */
const BY_FAMILY: Readonly<Record<string, readonly string[]>> = {
  'kho-root': ['root-', 'version-release', 'consumer-unknown', 'map-'],
  'setup-data-kho': ENTRY,
  'chosen-kho': ENTRY,
  'kexec-metadata': ['version-release'],
  luo: LUO,
  'luo-features': LUO,
  memfd: ['memfd-'],
  'memfd-features': ['memfd-'],
  'rfc-iommufd': ['ioas-'],
  'rfc-intel-iommu': ['rfc-mem-', ...DOMAINS],
  'iommu-liveupdate': DOMAINS,
};

/**
 * The rules that look at a version: at its family, at blobs where it is one, and at what pointers reach where it has any.
 * Rules about what users describe (`given-`) look at no format.
 */
export function rulesFor(family: Family, { layout }: Version): readonly Rule[] {
  const isBlob = family.lookup?.group === 'kho-subtree';
  const leads = relatedLayouts(layout).some(hasPointer);
  const own = BY_FAMILY[family.name] ?? [];
  return RULES.filter(
    ({ id, family: of }) =>
      own.some((start) => id.startsWith(start)) ||
      (isBlob && id.startsWith('blob-') && !(own === LUO && id === 'blob-layout')) ||
      (leads && of === 'reachable'),
  );
}

function hasPointer(layout: Layout): boolean {
  if (layout.kind !== 'node')
    return layout.kind === 'pointer' || layout.kind === 'gather' || partsOf(layout).some(hasPointer);
  const { properties, children, each } = layout;
  return (
    Object.values(properties).some((member) => hasPointer(requiredType(member))) ||
    Object.values(children).some((member) => hasPointer(requiredType(member))) ||
    (each !== undefined && hasPointer(each.node))
  );
}
