// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { dtSchema, families, khoRootV4, memblockV1, versionName } from '../../src/schemas/index.js';
import { toYaml } from '../../src/schemas/lang/yaml.js';

const hasPython = spawnSync('python3', ['-c', 'import yaml']).status === 0;
if (!hasPython) console.warn('SKIP reading YAML back: python3-yaml is not installed');

/** YAML documents as another program understands them. */
function parsed(...texts: string[]): unknown[] {
  const script =
    'import sys, yaml, json; print(json.dumps([yaml.safe_load(text) for text in json.load(sys.stdin)]))';
  const { stdout, stderr } = spawnSync('python3', ['-c', script], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  const values: unknown[] = JSON.parse(stdout);
  return values;
}

describe('dt-schema', () => {
  it('says what a root holds', () => {
    const text = dtSchema(khoRootV4, {
      name: 'kho-v4',
      title: 'Root of a handover',
      maintainers: ['Nobody <nobody@example.org>'],
    });
    expect(text).toBe(`# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
%YAML 1.2
---
"$id": "http://devicetree.org/schemas/kho/kho-v4.yaml#"
"$schema": "http://devicetree.org/meta-schemas/core.yaml#"
title: Root of a handover
maintainers:
  - "Nobody <nobody@example.org>"
description: Root of a handover.
properties:
  compatible:
    contains:
      const: kho-v4
  preserved-memory-map:
    description: "which pages are preserved; at least 1; a multiple of 0x1000; native byte order"
    "$ref": "/schemas/types.yaml#/definitions/uint64"
patternProperties:
  "^(?!(\\\\$nodename|compatible|preserved-memory-map)$)[^/]+$":
    type: object
    description: "State of one subsystem. Name: a name."
    properties:
      blob-size:
        description: "size of the blob; in bytes; native byte order"
        "$ref": "/schemas/types.yaml#/definitions/uint64"
      preserved-data:
        description: "the blob of the subsystem; at least 1; a multiple of 0x1000; native byte order"
        "$ref": "/schemas/types.yaml#/definitions/uint64"
    required:
      - blob-size
      - preserved-data
    additionalProperties: false
required:
  - compatible
  - preserved-memory-map
additionalProperties: false
`);
  });

  it.skipIf(!hasPython)('is YAML for every FDT layout', () => {
    const documents = families.flatMap(({ versions }) =>
      versions.flatMap((version) => {
        const title = versionName(version);
        return version.layout.kind === 'node'
          ? [{ title, text: dtSchema(version.layout, { name: title, title }) }]
          : [];
      }),
    );
    expect(documents.length).toBeGreaterThan(5);
    expect(parsed(...documents.map(({ text }) => text))).toMatchObject(
      documents.map(({ title }) => ({ title, additionalProperties: false })),
    );
    expect(parsed(dtSchema(memblockV1, { name: 'x', title: 'y' }))[0]).toMatchObject({
      patternProperties: {
        '^(?!(\\$nodename|compatible)$)[^/]{1,15}$': { required: ['compatible', 'start', 'size'] },
      },
    });
  });

  it.skipIf(!hasPython)('quotes what YAML would take for something else', () => {
    const value = {
      yes: ['no', 'on', '1', '', ' a', 'a: b', '- x', '#', 'a #b', '"', '\n', '\u0007', 'null', 'plain text'],
      n: [[1, true], {}, []],
    };
    expect(parsed(toYaml(value))).toEqual([value]);
  });
});
