// SPDX-License-Identifier: Apache-2.0

/** Source ids there are: bus 15:8, device 7:3, function 2:0. */
export const SOURCE_IDS = 0x10000;

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/**
 * A source id as PCI addresses are written: `0000:00:1f.2`, or `00:1f.2` without a segment.
 *
 * @param sourceId 16 bits: bus, device and function
 * @param segment PCI segment (domain), 16 bits
 */
export function formatSourceId(sourceId: number, segment?: number): string {
  const place = `${hex(sourceId >> 8, 2)}:${hex((sourceId >> 3) & 31, 2)}.${sourceId & 7}`;
  return segment === undefined ? place : `${hex(segment, 4)}:${place}`;
}

/**
 * Reads `0000:00:1f.2`, or `00:1f.2` with segment 0 left out.
 *
 * @returns `undefined` for anything else
 */
export function parseSourceId(
  text: string,
): { readonly segment: number | undefined; readonly sourceId: number } | undefined {
  const match = /^(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,2}):([01]?[0-9a-f])\.([0-7])$/i.exec(text);
  if (match === null) return undefined;
  const [bus = 0, device = 0, func = 0] = match.slice(2).map((digits) => Number.parseInt(digits, 16));
  return {
    segment: match[1] === undefined ? undefined : Number.parseInt(match[1], 16),
    sourceId: bus * 256 + device * 8 + func,
  };
}
