// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { dtSchema, families, khoRootV4, memblockV1, versionName } from '../../src/schemas/index.js';
import { toYaml } from '../../src/schemas/lang/yaml.js';

const hasPython = spawnSync('python3', ['-c', 'import yaml']).status === 0;
if (!hasPython) console.warn('SKIP reading YAML back: python3-yaml is not installed');

/** A YAML document as another program understands it. */
function parsed(text: string): unknown {
  const script = 'import sys, yaml, json; print(json.dumps(yaml.safe_load(sys.stdin)))';
  const { stdout, stderr } = spawnSync('python3', ['-c', script], { input: text, encoding: 'utf8' });
  expect(stderr).toBe('');
  const value: unknown = JSON.parse(stdout);
  return value;
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
  "^[^/]+$":
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
    let documents = 0;
    for (const { versions } of families) {
      for (const version of versions) {
        if (version.layout.kind !== 'node') continue;
        const name = versionName(version);
        expect(parsed(dtSchema(version.layout, { name, title: name }))).toMatchObject({
          title: name,
          additionalProperties: false,
        });
        documents++;
      }
    }
    expect(documents).toBeGreaterThan(5);
    expect(parsed(dtSchema(memblockV1, { name: 'x', title: 'y' }))).toMatchObject({
      patternProperties: { '^[^/]{1,15}$': { required: ['compatible', 'start', 'size'] } },
    });
  });

  it.skipIf(!hasPython)('quotes what YAML would take for something else', () => {
    const value = {
      yes: ['no', 'on', '1', '', ' a', 'a: b', '- x', '#', 'a #b', '"', '\n', '\u0007', 'null', 'plain text'],
      n: [[1, true], {}, []],
    };
    expect(parsed(toYaml(value))).toEqual(value);
  });
});
