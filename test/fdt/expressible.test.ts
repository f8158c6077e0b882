// SPDX-License-Identifier: Apache-2.0
// Trees that no source can say: two members of one name under one node, wherever they stand among others.
import { describe, expect, it } from 'vitest';
import { encodeFdt } from '../../src/fdt/encode.js';
import { FdtWriter, openFdt, parseDts, printDts } from '../../src/fdt/index.js';

/** A tree with nodes of these names below one that is not the root, in this order. */
function treeOf(names: readonly string[]): Uint8Array {
  const writer = new FdtWriter();
  writer.finishReservations();
  for (const name of ['', 'first']) writer.beginNode(name);
  writer.endNode();
  writer.beginNode('parent');
  for (const name of names) {
    writer.beginNode(name);
    writer.beginNode('same');
    writer.endNode();
    writer.endNode();
  }
  writer.endNode();
  for (const name of ['last', 'parent']) {
    if (name === 'parent') continue;
    writer.beginNode(name);
    writer.endNode();
  }
  writer.endNode();
  return writer.finish();
}

const saidOf = (names: readonly string[]): string => {
  try {
    return encodeFdt(parseDts(printDts(openFdt(treeOf(names))))).length > 0 ? 'printed' : '';
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
};

describe('sibling nodes as source', () => {
  const orders = [
    ['a', 'b', 'c', 'd'],
    ['d', 'c', 'b', 'a'],
    ['a', 'c', 'b', 'd'],
    ['b', 'a', 'd', 'c'],
    ['a', 'bb', 'b', 'aa'],
    ['ab', 'aa', 'b', 'ac'],
    ['bb', 'ba', 'ab', 'aa'],
    ['a', 'bb', 'ccc', 'dddd'],
  ];

  it.each(orders.map((names) => [names.join(' '), names] as const))('may be called %s', (_, names) => {
    expect(saidOf(names)).toBe('printed');
  });

  it.each(orders.map((names) => [names.join(' '), names] as const))(
    'are not two of one name among %s',
    (_, names) => {
      for (let from = 0; from < names.length; from++) {
        for (let to = 0; to <= names.length; to++) {
          const doubled = names.toSpliced(to, 0, names[from] ?? '');
          expect(saidOf(doubled), doubled.join(' ')).toMatch(new RegExp(`/parent.*"?${names[from]}"?`));
          expect(saidOf(doubled)).not.toBe('printed');
        }
      }
    },
  );
});
