// SPDX-License-Identifier: Apache-2.0

/** Characters that dtc accepts in names (`node_name_chars` and `property_name_chars` in `checks.c`, 1.6.1). */
const NODE_NAME = /^[a-zA-Z0-9,._+@-]*/;
const PROPERTY_NAME = /^[a-zA-Z0-9,._+*#?-]*/;

/** What keeps a node's name out of a devicetree source; `undefined` when nothing does. '' stands for a root. */
export function badNodeName(name: string): string | undefined {
  const bad = firstOther(name, NODE_NAME);
  return bad ?? (name.split('@', 3).length > 2 ? 'more than one "@"' : undefined);
}

/** What keeps a property's name out of a devicetree source; `undefined` when nothing does. */
export function badPropertyName(name: string): string | undefined {
  return name === '' ? 'no characters' : firstOther(name, PROPERTY_NAME);
}

function firstOther(name: string, legal: RegExp): string | undefined {
  const code = name.charCodeAt(legal.exec(name)?.[0].length ?? 0);
  if (Number.isNaN(code)) return undefined;
  const shown = code > 0x20 && code < 0x7f ? `"${String.fromCharCode(code)}"` : `byte 0x${code.toString(16)}`;
  return `${shown}, which no such name may have`;
}
