// SPDX-License-Identifier: Apache-2.0

/** What {@link toYaml} writes. */
export type YamlValue =
  | string
  | number
  | boolean
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

/** A value as YAML 1.2 in block style. Strings that YAML could take for something else are quoted as in JSON. */
export function toYaml(value: YamlValue): string {
  return `${lines(value).join('\n')}\n`;
}

function scalar(value: string | number | boolean): string {
  if (typeof value !== 'string') return `${value}`;
  // Letters first, nothing with a meaning to YAML inside, and not one of its words.
  const plain =
    /^[a-zA-Z][\w .,/()-]*$/.test(value) && !/ $|^(?:true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}

function isScalar(value: YamlValue): value is string | number | boolean {
  return typeof value !== 'object';
}

function lines(value: YamlValue): string[] {
  if (isScalar(value)) return [scalar(value)];
  if (isList(value)) {
    if (value.length === 0) return ['[]'];
    return value.flatMap((item) => lines(item).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return ['{}'];
  return entries.flatMap(([key, item]) => {
    const inner = lines(item);
    const [first = ''] = inner;
    if (isScalar(item) || first === '[]' || first === '{}') return [`${scalar(key)}: ${first}`];
    return [`${scalar(key)}:`, ...inner.map((line) => `  ${line}`)];
  });
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}
