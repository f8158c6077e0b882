// SPDX-License-Identifier: Apache-2.0
// Descriptions of handovers, for property tests and as what labelled cases start from.
import * as fc from 'fast-check';
import type {
  AreaDescription,
  FileDescription,
  HandoverDescription,
  IommufdDescription,
  MappedDomainDescription,
  RegionDescription,
  SessionDescription,
} from '../kho/handover-description.js';
import { kernelSet, RFC_2024 } from '../kho/kernel-set.js';

const MIB = 1n << 20n;
const KIB = 1024;
const PAGE = 4096;

/** A kernel, and versions that it is to write in place of its own. */
export interface DescribedKernel {
  readonly kernel: string;
  readonly versions?: readonly string[];
}

/** How descriptions are made up. */
export interface DescriptionOptions extends DescribedKernel {
  /**
   * Whether there is something of everything: sessions with several files each, folios of several sizes, regions,
   * objects, domains. Labelled cases start from such handovers. Default false: anything may be missing.
   */
  readonly rich?: boolean;
}

/** Machines with room for the next kernel in the largest scratch region. */
const machines = fc.constantFrom(
  { memory: [{ start: 0n, size: 256n * MIB }], scratch: [{ size: 96n * MIB }, { size: 16n * MIB }] },
  {
    memory: [{ start: 0n, size: 512n * MIB }],
    scratch: [{ size: 96n * MIB }, { size: 16n * MIB }, { size: 48n * MIB }],
  },
);

/** In the first page; the rest is zeros, which need no room in an image. */
const contents = fc.record({
  pattern: fc.integer({ min: 1, max: 1 << 20 }),
  words: fc.constantFrom(1, 16, 512),
  pages: fc.constant([0]),
});
const names = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]*$/, { maxLength: 20 }) },
  { weight: 1, arbitrary: fc.stringMatching(/^[a-z][a-z0-9-]{62}$/) },
);

/** F_SEAL_EXEC of a file with executable bits brings SHRINK, GROW, WRITE and FUTURE_WRITE. */
function withImplied(seals: number): number {
  return (seals & 0x20) === 0 ? seals : seals | 0x1e;
}

function files(hasSeals: boolean): fc.Arbitrary<FileDescription> {
  const fields = {
    contents: fc.oneof(contents, fc.constant('zeros' as const)),
    ...(hasSeals && { seals: fc.integer({ min: 0, max: 0x3f }).map(withImplied) }),
  };
  const small = fc.record({
    ...fields,
    size: fc.oneof(fc.integer({ min: 1, max: 10 * PAGE }), fc.constantFrom(0, PAGE, 2 * PAGE)),
    position: fc.integer({ min: 0, max: 3 * PAGE }),
  });
  const large = fc.record({
    ...fields,
    size: fc.integer({ min: 1, max: 12 * PAGE }),
    folioOrder: fc.constantFrom(2, 3),
  });
  return fc.oneof({ weight: 4, arbitrary: small }, { weight: 1, arbitrary: large });
}

/** Tokens that all differ, some of them large. */
function withTokens(list: readonly FileDescription[], first: bigint, step: bigint): FileDescription[] {
  return list.map((file, index) => ({ ...file, token: first + BigInt(index) * step }));
}

const tokens = fc.tuple(fc.constantFrom(0n, 1n, 0x1000n, 1n << 40n), fc.constantFrom(1n, 7n, 1n << 20n));

function sessions(hasSeals: boolean, rich: boolean): fc.Arbitrary<SessionDescription[]> {
  const file = files(hasSeals);
  const some = fc.record({ files: fc.array(file, { minLength: rich ? 2 : 0, maxLength: 4 }), tokens });
  const list = fc.array(some, { minLength: rich ? 2 : 0, maxLength: 3 });
  const called = fc.uniqueArray(names, { minLength: 4, maxLength: 4 });
  const extra = fc.record({ many: fc.integer({ min: 0, max: 4 }), seed: fc.integer({ min: 1, max: 1000 }) });
  return fc.tuple(list, called, extra).map(([made, words, { many, seed }]) => {
    const out: SessionDescription[] = made.map(({ files: own, tokens: [first, step] }, index) => ({
      name: words[index] ?? `session-${index}`,
      files: withTokens(own, first, step),
    }));
    const [first] = out;
    if (rich && first !== undefined) {
      // Folios of several pages, and more than one of them, whatever came by chance.
      const pattern = { contents: { pattern: seed, words: 16, pages: [0] } };
      const sure: FileDescription[] = [
        { size: 3 * PAGE + 5, ...pattern },
        { size: 9 * PAGE, folioOrder: 2, ...pattern },
        { size: 0 },
      ];
      const { files: own = [] } = first;
      out[0] = { ...first, files: withTokens([...sure, ...own], 3n, 2n) };
      if (many === 1) out.push({ name: 'many-files', files: [{ size: 0, count: 66 }] });
      if (many === 2) out.push({ name: 'n', count: 54 });
    }
    return out;
  });
}

const regions: fc.Arbitrary<RegionDescription[]> = fc
  .array(
    fc.record({
      size: fc.constantFrom(4 * KIB, 16 * KIB, 20 * KIB),
      align: fc.constantFrom(4 * KIB, 64 * KIB),
      contents: contents,
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((list) => list.map((region, index) => ({ name: `region${index}`, ...region })));

/** Objects of the kernel's own test: numbers, so that there is nothing to lead to. */
const TEST_OBJECTS = [0, 1, 2].map((index) => ({
  name: `liveupdate-test-flb-v${index}`,
  data: 0xfeed_f00d_cafe_bee0n + BigInt(index),
}));

/** Areas by ascending IOVA, of whole pages, that keep clear of one another. */
const areas: fc.Arbitrary<AreaDescription[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 600 }),
      pages: fc.integer({ min: 1, max: 40 }),
      prot: fc.constantFrom(5, 7),
    }),
    { minLength: 2, maxLength: 5 },
  )
  .map((list) => {
    let next = 0n;
    return list.map(({ gap, pages, prot }) => {
      const iova = next + BigInt(gap * PAGE);
      const length = BigInt(pages * PAGE);
      next = iova + length;
      return { iova, length, prot };
    });
  });

const iommus: fc.Arbitrary<{ iommufds: IommufdDescription[]; domains: MappedDomainDescription[] }> = fc
  .array(fc.record({ areas, levels: fc.constantFrom(3, 4, 5), bus: fc.integer({ min: 0, max: 255 }) }), {
    minLength: 2,
    maxLength: 3,
  })
  .map((list) => ({
    iommufds: list.map((each, index) => ({ id: index + 1, ioases: [{ id: index + 4, areas: each.areas }] })),
    domains: list.map(({ levels, bus }, index) => ({
      id: index + 1,
      levels,
      devices: [
        { bus, devfn: index * 8 },
        { bus, devfn: index * 8 + 1 },
      ],
    })),
  }));

/**
 * Descriptions of handovers of a kernel: sessions with files of different sizes and seals, memory reserved by name,
 * objects; of `rfc-2024` iommufds and domains. `buildHandover` makes a handover of each without a complaint, and
 * verification finds nothing in it.
 */
export function handoverDescriptions(options: DescriptionOptions): fc.Arbitrary<HandoverDescription> {
  const { kernel, versions = [], rich = false } = options;
  if (kernel === RFC_2024)
    return fc.tuple(machines, iommus).map(([machine, both]) => ({ kernel, versions, ...machine, ...both }));
  const written = new Set((kernelSet(kernel)?.writes ?? []).map(({ version }) => version.key));
  const luo = [...written, ...versions].findLast((key) => key.startsWith('luo-v'));
  const hasSeals = [...written, ...versions].includes('memfd-v2') && !versions.includes('memfd-v1');
  const hasObjects = luo !== undefined && !(luo === 'luo-v1' && kernel === '6.19');
  const reserveMem = rich ? regions : fc.oneof(regions, fc.constant<RegionDescription[]>([]));
  const parts = fc.record({
    machine: machines,
    reserveMem,
    sessions: luo === undefined ? fc.constant<SessionDescription[]>([]) : sessions(hasSeals, rich),
    objects: fc.integer({ min: rich ? 1 : 0, max: 3 }),
    kexecCount: fc.integer({ min: 1, max: 9 }),
  });
  return parts.map(({ machine, sessions: list, objects, ...rest }) => {
    const count = list.reduce(
      (sum, { files: own = [], count: copies = 1 }) =>
        sum + copies * own.reduce((all, file) => all + (file.count ?? 1), 0),
      0,
    );
    const made = TEST_OBJECTS.slice(0, hasObjects && count > 0 ? objects : 0);
    return {
      kernel,
      versions,
      ...machine,
      ...rest,
      sessions: list,
      objects: made.map((object) => ({ ...object, count })),
      previousRelease: /^\d+\.\d+$/.test(kernel) ? `${kernel}.0` : kernel,
    };
  });
}
