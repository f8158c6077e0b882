// SPDX-License-Identifier: Apache-2.0
// The forms of a declared layout that other programs read.
import { cHeader } from '../schemas/lang/c-header.js';
import { dtSchema } from '../schemas/lang/dt-schema.js';
import { versionName } from '../schemas/lang/family.js';
import type { KnownVersion } from '../schemas/registry.js';
import { byteMapSvg } from './byte-map-svg.js';
import { referenceName } from './reference-name.js';
import { referencePage } from './reference-page.js';
import { writeSchemaRst } from './schema-rst.js';

/**
 * `md`, the page of the reference without its example; `svg`, the byte map; `rst`, kernel documentation; `dt-schema`, for
 * device trees; `c`, a header that asserts sizes and offsets.
 */
export type SchemaForm = 'md' | 'svg' | 'rst' | 'dt-schema' | 'c';

/** A version in one of its forms; `undefined` for dt-schema of what is no device tree. */
export function schemaForm(known: KnownVersion, form: SchemaForm): string | undefined {
  const { family, version } = known;
  const { layout } = version;
  switch (form) {
    case 'md':
      return referencePage(known, undefined);
    case 'svg':
      return byteMapSvg(version);
    case 'rst': {
      const lines: string[] = [];
      writeSchemaRst((text) => lines.push(text), known);
      return lines.join('');
    }
    case 'dt-schema':
      if (layout.kind !== 'node') return undefined;
      return dtSchema(layout, {
        name: referenceName(version),
        title: `${family.name} ${versionName(version)}`,
      });
    case 'c':
      return cHeader(
        layout,
        `KHO_${referenceName(version)
          .replace(/[^a-z0-9]/g, '_')
          .toUpperCase()}_H`,
      );
  }
}
