// SPDX-License-Identifier: Apache-2.0
// What an iommufd object is, apart from its id: by this objects of two states are recognised.
import { formatHex, hexBytes } from '../../bytes/hex.js';
import type { Context, Ioas, IommufdObject } from './objects.js';

/** What an object is besides its references, by name; each a text that is equal exactly where the objects are. */
type Facts = Readonly<Record<string, string>>;
type References = Readonly<Record<string, IommufdObject | undefined>>;

/** The facts of an object. */
export function factsOf(object: IommufdObject, context: Context): Facts {
  switch (object.type) {
    case 'ioas': {
      const { largePages, allowed } = object.space;
      const ranges = allowed.map(({ start, last }) => `${formatHex(start)}-${formatHex(last)}`);
      return {
        'huge pages': largePages ? 'on' : 'off',
        'allowed ranges': ranges.length === 0 ? 'all' : ranges.join(' '),
        'VFIO container': context.vfioIoas === object ? 'yes' : 'no',
      };
    }
    case 'hwpt':
      return {
        made: object.auto ? 'by attaching' : 'by HWPT_ALLOC',
        flags: formatHex(object.flags),
        'data type': `${object.dataType}`,
        data: object.data === undefined ? 'none' : hexBytes(object.data),
        'IOMMU unit': object.unit,
        'dirty tracking': object.dirtyTracking ? 'on' : 'off',
      };
    case 'device':
      return { file: object.file };
    case 'fault':
      return {};
    case 'viommu':
      return { type: `${object.kind}`, 'IOMMU unit': object.unit };
    case 'vdevice':
      return { 'virtual id': formatHex(object.virtId) };
    case 'veventq':
      return { type: `${object.kind}`, depth: `${object.depth}` };
    case 'hw-queue': {
      const { kind, index, iova, length } = object;
      return { type: `${kind}`, index: `${index}`, iova: formatHex(iova), length: formatHex(length) };
    }
  }
}

/** The objects that an object refers to, by what they are to it. */
export function referencesOf(object: IommufdObject): References {
  switch (object.type) {
    case 'hwpt': {
      const { ioas, parent, viommu, fault } = object;
      return { IOAS: ioas, parent, vIOMMU: viommu, 'fault queue': fault };
    }
    case 'device':
      return Object.fromEntries(
        [...object.attachments].map(([pasid, hwpt]) => [
          pasid < 0 ? 'page table' : `page table of PASID ${pasid}`,
          hwpt,
        ]),
      );
    case 'viommu':
      return { 'page table': object.hwpt };
    case 'vdevice':
      return { vIOMMU: object.viommu, device: object.device };
    case 'veventq':
    case 'hw-queue':
      return { vIOMMU: object.viommu };
    default:
      return {};
  }
}

/** A short text that differs where area lists do, as far as 64 bits can tell; matched lists are compared exactly. */
function areasDigest(ioas: Ioas): string {
  let [low, high] = [0x811c9dc5, 0x01000193];
  for (const { start, last, prot } of ioas.space.areas.from()) {
    for (const word of [start >> 12n, last >> 12n, BigInt(prot)]) {
      const number = Number(BigInt.asUintN(32, word ^ (word >> 32n)));
      low = Math.imul(low ^ number, 0x01000193) >>> 0;
      high = (Math.imul(high + number, 0x85ebca6b) ^ (low >>> 7)) >>> 0;
    }
  }
  return `${ioas.space.areas.size} ${low} ${high}`;
}

/** How far references are followed when objects are told apart: from a virtual device to its IOAS and back. */
const ROUNDS = 5;

/** Colours of objects: equal colours say that nothing within {@link ROUNDS} references tells two apart. */
export function coloursOf(context: Context): Map<IommufdObject, string> {
  const objects = [...context.objects.values()];
  let colours = new Map(
    objects.map((object) => {
      const areas = object.type === 'ioas' ? areasDigest(object) : '';
      return [object, `${object.type} ${JSON.stringify(factsOf(object, context))} ${areas}`] as const;
    }),
  );
  for (let round = 0; round < ROUNDS; round++) {
    const holders = new Map<IommufdObject, string[]>();
    const next = objects.map((object) => {
      const held = Object.entries(referencesOf(object)).flatMap(([name, target]) => {
        if (target === undefined) return [];
        const list = holders.get(target) ?? [];
        list.push(`${name} ${colours.get(object)}`);
        holders.set(target, list);
        return [`${name}=${digest(colours.get(target) ?? '')}`];
      });
      return { object, held: held.sort().join(' ') };
    });
    colours = new Map(
      next.map(({ object, held }) => {
        const by = (holders.get(object) ?? []).map(digest).sort().join(' ');
        return [object, `${object.type} ${digest(colours.get(object) ?? '')} ${held} | ${by}`] as const;
      }),
    );
  }
  return colours;
}

/** Text of any length as 53 bits in base 36. */
function digest(text: string): string {
  let [low, high] = [0xdeadbeef, 0x41c6ce57];
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    low = Math.imul(low ^ code, 0x9e3779b1) >>> 0;
    high = Math.imul(high ^ code, 0x5f356495) >>> 0;
  }
  return ((high & 0x1fffff) * 0x1_0000_0000 + low).toString(36);
}
