// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ADDRESS_WIDTHS, addressWidth } from '../../src/vtd/index.js';

describe('address widths', () => {
  it('are those of the VT-d specification', () => {
    const rows = ADDRESS_WIDTHS.map(({ agaw, levels, bits, sagawBit }) => [agaw, levels, bits, sagawBit]);
    expect(rows).toEqual([
      [1, 3, 39, 1],
      [2, 4, 48, 2],
      [3, 5, 57, 3],
    ]);
  });

  it('agree with the depth of the walk: 9 bits a level over 4 KiB pages', () => {
    for (const { levels, bits } of ADDRESS_WIDTHS) expect(12 + 9 * levels).toBe(bits);
  });

  it('do not exist for reserved codes', () => {
    expect([0, 4, 7, -1, 1.5].map(addressWidth)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
