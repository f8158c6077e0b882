// SPDX-License-Identifier: Apache-2.0
import { describeNodeName, requiredType } from './read-node.js';
import { ruleTexts } from './rule-text.js';
import { sizeOf } from './size.js';
import type { MemoryType, NodeName, NodeType } from './type.js';
import { toYaml, type YamlValue } from './yaml.js';

/** What a dt-schema document says besides the layout. */
export interface DtSchemaOptions {
  /** Name of the document, as in `kho-v4`. */
  readonly name: string;
  readonly title: string;
  /** Who looks after it, with a mail address; dt-schema asks for at least one. */
  readonly maintainers?: readonly string[];
}

type Mapping = Record<string, YamlValue>;

const TYPES = '/schemas/types.yaml#/definitions';

/**
 * An FDT layout as a dt-schema document (YAML). dt-schema knows big-endian cells only: what KHO stores in native byte
 * order is given by its type and size, and said to be native in words.
 */
export function dtSchema(
  layout: NodeType,
  { name, title, maintainers = ['kho-toolkit <kho-toolkit@example.org>'] }: DtSchemaOptions,
): string {
  const document: Mapping = {
    $id: `http://devicetree.org/schemas/kho/${name}.yaml#`,
    $schema: 'http://devicetree.org/meta-schemas/core.yaml#',
    title,
    maintainers,
    ...selection(layout),
    ...nodeSchema(layout),
  };
  return `# SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)\n%YAML 1.2\n---\n${toYaml(document)}`;
}

/** Validators choose documents by `compatible`; for a tree without, nodes that have all its properties are chosen. */
function selection({ compatible, properties }: NodeType): Mapping {
  if (compatible !== undefined) return {};
  const required = Object.entries(properties).flatMap(([name, { kind }]) =>
    kind === 'optional' ? [] : [name],
  );
  return required.length === 0 ? {} : { select: { required } };
}

function nodeSchema(layout: NodeType): Mapping {
  const properties: Mapping = {};
  const required: string[] = [];
  for (const [name, member] of Object.entries(layout.properties)) {
    properties[name] = propertySchema(requiredType(member));
    if (member.kind !== 'optional') required.push(name);
  }
  for (const [name, member] of Object.entries(layout.children)) {
    properties[name] = { type: 'object', ...nodeSchema(requiredType(member)) };
    if (member.kind !== 'optional') required.push(name);
  }
  const schema: Mapping = {};
  const rules = layout.rules.map(({ doc }) => doc);
  const description = [layout.doc, ...rules.map((rule) => `Rule: ${rule}.`)]
    .filter((each) => each !== undefined)
    .join(' ');
  if (description !== '') schema['description'] = description;
  if (Object.keys(properties).length > 0) schema['properties'] = properties;
  if (layout.each !== undefined) {
    const inner = nodeSchema(layout.each.node);
    const about = `Name: ${describeNodeName(layout.each.name)}.`;
    const described = typeof inner['description'] === 'string' ? `${inner['description']} ${about}` : about;
    schema['patternProperties'] = {
      [namePattern(layout.each.name, Object.keys(properties))]: {
        type: 'object',
        ...inner,
        description: described,
      },
    };
  }
  if (required.length > 0) schema['required'] = required;
  schema['additionalProperties'] = false;
  return schema;
}

/**
 * What names patterned nodes have. Where they are free, the pattern leaves out what is declared beside them and
 * `$nodename`, which validators add: a pattern holds for properties and nodes alike.
 */
function namePattern({ kind, maxLength }: NodeName, declared: readonly string[]): string {
  if (kind === 'decimal') return '^(0|[1-9][0-9]*)$';
  const others = ['$nodename', ...declared].map(escapePattern).join('|');
  return `^(?!(${others})$)[^/]${maxLength === undefined ? '+' : `{1,${maxLength}}`}$`;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** A string that a property must hold; dt-schema takes only some characters in constants. */
function stringSchema(text: string): Mapping {
  return /^[a-zA-Z0-9,.\-_ #+/]+$/.test(text) ? { const: text } : { pattern: `^${escapePattern(text)}$` };
}

function propertySchema(type: MemoryType): YamlValue {
  if (type.kind === 'text' && type.includes !== undefined) return { contains: stringSchema(type.includes) };
  const schema: Mapping = {};
  const rules = type.kind === 'integer' || type.kind === 'pointer' ? ruleTexts(type.rules) : [];
  const isCells = (type.kind === 'integer' || type.kind === 'pointer') && type.bigEndian;
  const native =
    isCells || type.kind === 'text' || type.kind === 'chars' || type.kind === 'bytes'
      ? []
      : ['native byte order'];
  const unit = type.kind === 'integer' && type.unit !== undefined ? [`in ${type.unit}`] : [];
  const words = [type.doc, ...unit, ...rules, ...native].filter((each) => each !== undefined && each !== '');
  schema['description'] = words.join('; ');
  const size = sizeOf(type);
  if (type.kind === 'text') schema['$ref'] = `${TYPES}/string`;
  else if ((type.kind === 'integer' || type.kind === 'pointer') && (size === 8 || size === 4)) {
    const signed = type.kind === 'integer' && type.signed;
    schema['$ref'] = `${TYPES}/${signed ? 'int' : 'uint'}${size * 8}`;
  } else {
    schema['$ref'] = `${TYPES}/uint8-array`;
    if (size !== undefined) {
      schema['minItems'] = size;
      schema['maxItems'] = size;
    }
  }
  return schema;
}
