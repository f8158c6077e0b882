// SPDX-License-Identifier: Apache-2.0
// Two guests of a real kernel: what we find in their memory must be what the kernel, QEMU and pagemap said of it, in
// every image format.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PhysicalMemory } from '../../src/image/physical-memory.js';
import {
  type Domain,
  findDevice,
  formatSourceId,
  MappingCheck,
  parseSourceId,
  permissionText,
  readDomains,
  readInterrupts,
  type TableRoot,
  translate,
  walkTable,
} from '../../src/vtd/index.js';
import { capture, captureText, missingCaptures } from '../captures.js';
import { opened, trimmedCore } from '../image/image-files.js';
import {
  dmarTranslationText,
  domainTranslationText,
  infoTlbText,
  interruptText,
  leavesOf,
} from './kernel-text.js';
import { capabilitiesOf, GUESTS, type Guest, rootOf, truthOf } from './truth.js';

if (missingCaptures !== undefined) console.warn(`SKIP full images of the VT-d guests: ${missingCaptures}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const FORMATS = missingCaptures === undefined ? ['raw', 'elf', 'kdump', 'kdump-unflattened'] : [];

const IMAGES = GUESTS.flatMap((guest) =>
  ['trimmed', ...FORMATS].map((format): [Guest, string] => [guest, format]),
);

function imageOf(guest: Guest, format: string): PhysicalMemory {
  return opened(format === 'trimmed' ? trimmedCore(guest) : capture(`${guest}/mem.${format}`));
}

function tableOf({ second }: Pick<Domain, 'second'>): TableRoot {
  if (second === undefined) throw new Error('a second stage expected');
  return second;
}

describe.each(IMAGES)('%s as %s', (guest, format) => {
  const truth = truthOf(guest);
  const root = rootOf(truth);
  const cpu: TableRoot = { stage: 'first', table: BigInt(truth.cr3), levels: 4 };

  it('has the devices, domains and entries of dmar_translation_struct, and nothing to object to', () => {
    const memory = imageOf(guest, format);
    const found = readDomains(memory, root);
    expect(dmarTranslationText(memory, found)).toBe(truth.dmar_translation_struct);
    expect(found.findings).toEqual([]);
    expect(found.domains.map(({ did, type, widthBits }) => [did, type, widthBits])).toEqual([
      [2, 'second-stage', 48],
      [3, 'second-stage', 48],
      [4, 'second-stage', 48],
      [6, 'second-stage', 48],
    ]);
  });

  it('has the leaves and entries of every domain_translation_struct', () => {
    const memory = imageOf(guest, format);
    const { domains } = readDomains(memory, root);
    const texts = domains.flatMap((domain) =>
      domain.attachments.flatMap(({ devices, pasid }) =>
        devices.map(({ segment, sourceId }) => {
          const device = formatSourceId(sourceId, segment);
          return [device, sha256(domainTranslationText(memory, device, tableOf(domain), pasid))] as const;
        }),
      ),
    );
    expect(Object.fromEntries(texts)).toEqual(truth.domain_translation_struct);
  });

  it('maps exactly the frames that pagemap told of every area', () => {
    const memory = imageOf(guest, format);
    for (const ioas of new Set(truth.attach.map(([, id]) => id))) {
      const expected = truth.areas
        .filter((area) => area.ioas === ioas && area.mapped)
        .flatMap(({ iova, prot, runs }) =>
          runs.flatMap(([page, frame, pages]) =>
            Array.from({ length: pages }, (_, index) => ({
              at: Number(BigInt(iova) >> 12n) + page + index,
              text: `${Number(BigInt(iova) >> 12n) + page + index} ${frame + index} ${prot}`,
            })),
          ),
        )
        .sort((a, b) => a.at - b.at)
        .map(({ text }) => text)
        .join('\n');
      for (const [device] of truth.attach.filter(([, id]) => id === ioas)) {
        const sourceId = parseSourceId(device)?.sourceId ?? -1;
        const { tables, fault } = findDevice(memory, root, sourceId);
        expect(fault).toBeUndefined();
        const { extents, findings } = walkTable(memory, tableOf(tables ?? { second: undefined }), {
          widthBits: tables?.widthBits,
          hostBits: 48,
        });
        expect(findings).toEqual([]);
        const check = new MappingCheck('second', capabilitiesOf(truth));
        check.add(extents);
        expect(check.findings).toEqual([]);
        const pages: string[] = [];
        for (let row = 0; row < extents.length; row++) {
          const perm = permissionText(extents.bits[row] ?? 0);
          for (let page = 0; page < (extents.frames[row] ?? 0); page++) {
            pages.push(`${(extents.iovaFrame[row] ?? 0) + page} ${(extents.frame[row] ?? 0) + page} ${perm}`);
          }
        }
        expect(pages.join('\n')).toBe(expected);
      }
    }
  });

  it('has the processor tables that the monitor listed, line for line', () => {
    expect(sha256(infoTlbText(imageOf(guest, format), cpu))).toBe(truth.info_tlb);
  });

  it.skipIf(format !== 'trimmed')('translates every leaf as the walk does, first stage too', () => {
    const memory = imageOf(guest, format);
    const wrong = [...leavesOf(walkTable(memory, cpu).extents)].filter(({ iova, phys, size, bits }) => {
      const last = BigInt(size) - 1n;
      const found = translate(memory, cpu, iova + last);
      return found.phys !== phys + last || found.pageSize !== size || found.bits !== bits || found.fault;
    });
    expect(wrong).toEqual([]);
  });

  it.skipIf(format === 'trimmed')('has the interrupts of ir_translation_struct', () => {
    const memory = imageOf(guest, format);
    const table = readInterrupts(memory, BigInt(truth.registers.IRTA));
    expect(table.findings).toEqual([]);
    expect(table.entries).toBe(65_536);
    expect(interruptText(memory, table)).toBe(truth.ir_translation_struct);
  });

  // The same comparison, where a difference can be seen.
  it.skipIf(missingCaptures !== undefined || format !== 'trimmed')(
    'differs nowhere from the full texts',
    () => {
      const memory = imageOf(guest, format);
      expect(infoTlbText(memory, cpu).split('\n')).toEqual(
        captureText(`${guest}/mem.info-tlb.txt`).split('\n'),
      );
      const said: { files: Record<string, string> } = JSON.parse(captureText(`${guest}/truth.json`));
      const oracle: {
        devices: {
          bdf: string;
          pasid: number | null;
          type: string;
          domain_id: number;
          pgtable: string;
          levels: number;
        }[];
      } = JSON.parse(captureText(`${guest}/oracle.json`));
      for (const { bdf, pasid, type, domain_id: did, pgtable, levels } of oracle.devices) {
        const found = findDevice(memory, root, parseSourceId(bdf)?.sourceId ?? -1);
        const second = { stage: 'second', table: BigInt(pgtable), levels };
        expect(found).toMatchObject({ pasid: pasid ?? undefined, tables: { type, did, second } });
        const text = domainTranslationText(
          memory,
          bdf,
          tableOf(found.tables ?? { second: undefined }),
          found.pasid,
        );
        const file = `/sys/kernel/debug/iommu/intel/${bdf}/domain_translation_struct`;
        expect(text.split('\n')).toEqual(said.files[file]?.split('\n'));
      }
    },
  );
});
