// SPDX-License-Identifier: Apache-2.0
// Looks through all that a side holds, a little at a time: whoever searches takes as many steps as there is time for.
import { formatHex } from '../bytes/hex.js';
import { FdtNode } from '../fdt/fdt.js';
import { addressIn } from '../schemas/lang/memory.js';
import type { ShownFinding } from './analysis.js';
import type { Atlas } from './atlas.js';
import type { ShownObject } from './shown-object.js';
import { plainText } from './text-run.js';
import type { TreePlace } from './tree-node.js';

/** Something found. */
export interface Match {
  readonly kind: 'address' | 'finding' | 'node' | 'field';
  readonly title: string;
  readonly detail: string;
  /** Where it lies; `undefined` for findings. */
  readonly place: TreePlace | undefined;
  /** Number of the finding. */
  readonly finding?: number | undefined;
}

/** Values of objects up to this many bytes are looked through as well as names. */
const SMALL = 0x1_0000;

/** Yields what matches, and `undefined` now and then where nothing did. */
export function* searchSide(
  atlas: Atlas,
  findings: readonly ShownFinding[],
  query: string,
): Generator<Match | undefined, void> {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') return;
  yield* byAddress(atlas, wanted);
  for (const [index, { rule, message, path = '' }] of findings.entries()) {
    if (`${rule} ${message} ${path}`.toLowerCase().includes(wanted))
      yield { kind: 'finding', title: rule, detail: message, place: undefined, finding: index };
  }
  for (const object of atlas.objects) {
    if (object.fdt !== undefined) yield* inTree(object, wanted);
    if (object.bytes.length <= SMALL) yield* inFields(atlas, object, wanted);
    yield undefined;
  }
}

function* byAddress(atlas: Atlas, wanted: string): Generator<Match, void> {
  if (!/^(0x[0-9a-f]{1,16}|[0-9a-f]{4,16})$/.test(wanted)) return;
  const address = BigInt(wanted.startsWith('0x') ? wanted : `0x${wanted}`);
  const found = atlas.at(address);
  if (found === undefined) return;
  const { object, offset } = found;
  const field = atlas.fieldsOf(object).at(offset);
  yield {
    kind: 'address',
    title: formatHex(address),
    detail: `${object.path || object.what}, offset ${formatHex(offset)}`,
    place: { object, offset: field?.offset ?? offset, length: field?.length ?? 1 },
  };
}

function* inTree(object: ShownObject, wanted: string): Generator<Match | undefined, void> {
  const { fdt } = object;
  if (fdt === undefined) return;
  const { nodes } = fdt;
  for (let row = 0; row < nodes.count; row++) {
    if (row % 256 === 255) yield undefined;
    const node = new FdtNode(fdt, row);
    if (!node.name.toLowerCase().includes(wanted)) continue;
    const offset = node.offset;
    const length = (nodes.end[row] ?? offset) - offset;
    yield { kind: 'node', title: node.path, detail: object.what, place: { object, offset, length } };
  }
}

function* inFields(atlas: Atlas, object: ShownObject, wanted: string): Generator<Match | undefined, void> {
  let steps = 0;
  for (const { path, offset, length, kind, value } of atlas
    .fieldsOf(object)
    .between(0, object.bytes.length)) {
    if (++steps % 64 === 0) yield undefined;
    if (kind === 'container' || kind === 'padding') continue;
    const text = plainText(value());
    if (!path.toLowerCase().includes(wanted) && !text.toLowerCase().includes(wanted)) continue;
    const address = addressIn(object, offset);
    const title = object.path === '' || object.fdt !== undefined ? path : `${object.path}.${path}`;
    const detail = `${text}${address === undefined ? '' : `  at ${formatHex(address)}`}`;
    yield { kind: 'field', title, detail, place: { object, offset, length } };
  }
}
