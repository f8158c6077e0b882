// SPDX-License-Identifier: Apache-2.0
// A blob judged by the layout that the user names.
import { checkFdt } from '../fdt/check.js';
import type { NamedVerdict } from '../render/check-text.js';
import { identifyAs } from '../schemas/identify-blob.js';
import { check } from '../schemas/lang/check.js';
import { relatedStructs } from '../schemas/lang/related.js';
import type { Layout } from '../schemas/lang/type.js';
import { inFile, UsageError } from './failure.js';
import { requireSchemaName } from './schema-argument.js';

/**
 * What is wrong with a blob, as a container if it is an FDT, and by its layout; what the layout does not have is an error too.
 *
 * @param schema - a version or family, or behind a slash a struct that it leads to
 * @throws UsageError for what names no layout
 */
export function layoutVerdict(
  file: string,
  bytes: Uint8Array,
  schema: string,
  limit: number,
): NamedVerdict['verdict'] {
  const layout = layoutNamed(file, bytes, schema);
  const container = layout.kind === 'node' ? checkFdt(bytes, limit) : undefined;
  if (container?.accepted === false) return container;
  const { issues, unknown } = inFile(file, () => check<Layout>(layout, bytes, { maxIssues: limit }));
  const errors = [...issues, ...unknown];
  return { accepted: errors.length === 0, errors, warnings: container?.warnings ?? [] };
}

function layoutNamed(file: string, bytes: Uint8Array, schema: string): Layout {
  const [, name = schema, inner] = /^([^/]+)\/(\w+)$/.exec(schema) ?? [];
  requireSchemaName(name);
  const layout = inFile(file, () => identifyAs(name, bytes))?.version.layout;
  if (layout === undefined)
    throw new UsageError(`${file} does not say which version of ${name} it is; name one`);
  if (inner === undefined) return layout;
  const structs = relatedStructs(layout);
  const found = structs.get(inner);
  if (found !== undefined) return found;
  const names = [...structs.keys()].join(', ');
  throw new UsageError(`${name} leads to no struct "${inner}"; there are ${names}`);
}
