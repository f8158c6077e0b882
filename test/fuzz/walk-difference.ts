// SPDX-License-Identifier: Apache-2.0
// The extents of test/oracle/walk.c, a walker in C, against ours.
import type { ExtentColumns, WalkResult } from '../../src/vtd/index.js';
import { askOracle } from '../fdt/libfdt-verdict.js';
import { buildWithGcc } from '../oracle/oracle.js';
import type { Difference, FuzzTarget } from './target.js';

/** Compares walks of inputs, `undefined` (and a line on stderr) where there is no gcc. @param walk - what we make of one */
export function compareWithWalker(
  walk: (input: Uint8Array) => WalkResult | undefined,
): FuzzTarget['compare'] {
  const program = buildWithGcc('walk');
  return program === undefined ? undefined : (inputs) => compare(program, inputs, walk);
}

function compare(
  program: string,
  inputs: readonly Uint8Array[],
  walk: (input: Uint8Array) => WalkResult | undefined,
): Difference[] {
  const walked = inputs.flatMap((input) => {
    const result = walk(input);
    return result === undefined ? [] : [{ input, result }];
  });
  const answers = askOracle(
    program,
    walked.map(({ input }) => input),
  );
  return walked.flatMap(({ input, result }, index) => {
    const answer = answers[index];
    const theirs = answer?.getUint32(0, true);
    if (theirs !== result.extentCount)
      return [{ input, what: `the walker in C finds ${theirs} extents, we ${result.extentCount}` }];
    return answer?.getUint32(4, true) === extentHash(result.extents)
      ? []
      : [{ input, what: 'the walker in C finds other extents' }];
  });
}

function extentHash(extents: ExtentColumns): number {
  let hash = 2166136261;
  const add = (value: number, size: number): void => {
    let left = value;
    for (let byte = 0; byte < size; byte++) {
      hash = Math.imul(hash ^ (left % 256), 16777619);
      left = Math.floor(left / 256);
    }
  };
  for (let row = 0; row < extents.length; row++) {
    add(extents.iovaFrame[row] ?? 0, 8);
    add(extents.frame[row] ?? 0, 8);
    add(extents.frames[row] ?? 0, 8);
    add(extents.bits[row] ?? 0, 2);
  }
  return hash >>> 0;
}
