// SPDX-License-Identifier: Apache-2.0
// What the kernel's debugfs and QEMU's monitor would print of a guest, made of what our readers find in its memory.
// Texts of debugfs are without their last line end, which the capture over a serial line lost.
import type { PhysicalMemory } from '../../src/image/physical-memory.js';
import {
  type ExtentColumns,
  extentAt,
  formatSourceId,
  type InterruptTable,
  leafSize,
  MAPPING,
  type TableRoot,
  translate,
  type VtdDomains,
  walkTable,
} from '../../src/vtd/index.js';

const hex = (value: number | bigint, digits: number): string => value.toString(16).padStart(digits, '0');
const u64 = (memory: PhysicalMemory, address: bigint): string => `0x${hex(memory.u64(address), 16)}`;

/** `dmar_translation_struct` of one unit. Source: vtd-tables.md section 12. */
export function dmarTranslationText(memory: PhysicalMemory, found: VtdDomains): string {
  const attachments = found.domains.flatMap((domain) => domain.attachments);
  const rows = found.devices.flatMap((device) => {
    const { rootEntry, contextEntry, sourceId } = device;
    const high = (entry: bigint): string => `${u64(memory, entry + 8n)}:${u64(memory, entry)}`;
    const head = `${formatSourceId(sourceId)}\t${high(rootEntry)}\t${high(contextEntry)}\t`;
    const zero = `0x${hex(0, 16)}`;
    return attachments
      .filter(({ devices }) => devices.includes(device))
      .sort((a, b) => (a.pasid ?? 0) - (b.pasid ?? 0))
      .map(({ pasid, entry }) => {
        const words =
          pasid === undefined
            ? [zero, zero, zero]
            : [16n, 8n, 0n].map((offset) => u64(memory, entry + offset));
        return `${head}${String(pasid ?? -1).padEnd(6)}\t${words.join(':')}\n`;
      });
  });
  return (
    `IOMMU dmar0: Root Table Address: 0x${found.rootTable.toString(16)}\n` +
    `B.D.F\tRoot_entry\t\t\t\tContext_entry\t\t\t\tPASID\tPASID_table_entry\n${rows.join('')}`
  );
}

/** The leaves of extents, one by one. */
export function* leavesOf(
  extents: ExtentColumns,
): Generator<{ iova: bigint; phys: bigint; size: number; bits: number }> {
  for (let row = 0; row < extents.length; row++) {
    const { iova, phys, length, bits } = extentAt(extents, row);
    const size = leafSize(bits);
    for (let at = 0n; at < length; at += BigInt(size)) yield { iova: iova + at, phys: phys + at, size, bits };
  }
}

/** `domain_translation_struct` of a device: every leaf of our walk, with the entries of our translation of it. */
export function domainTranslationText(
  memory: PhysicalMemory,
  device: string,
  root: TableRoot,
  pasid?: number,
): string {
  const of = pasid === undefined ? '' : `with pasid ${pasid.toString(16)} `;
  let text = `Device ${device} ${of}@0x${root.table.toString(16)}\n`;
  text += `${'IOVA_PFN'.padEnd(17)}\t${['PML5E', 'PML4E', 'PDPE', 'PDE'].map((name) => name.padEnd(18)).join('\t')}\tPTE`;
  for (const { iova } of leavesOf(walkTable(memory, root).extents)) {
    const entries = [0n, 0n, 0n, 0n, 0n];
    for (const { level, entry } of translate(memory, root, iova).steps) entries[5 - level] = entry;
    while (entries.at(-1) === 0n) entries.pop();
    text += `\n0x${hex(iova >> 12n, 13)} |\t${entries.map((entry) => `0x${hex(entry, 16)}`).join('\t')}`;
  }
  return text;
}

/** `ir_translation_struct` of one unit. */
export function interruptText(memory: PhysicalMemory, { table, interrupts }: InterruptTable): string {
  const unit = (kind: 'Remapped' | 'Posted', columns: string): string => {
    const head = `${kind} Interrupt supported on IOMMU: dmar0\n`;
    const rows = interrupts
      .filter((each) => each.kind === kind.toLowerCase())
      .map((each) => {
        const low = memory.u64(each.address);
        const middle =
          each.kind === 'remapped'
            ? hex(each.values.DST, 8)
            : `${hex(each.descriptor >> 32n, 8)} ${hex(each.descriptor & 0xffff_ffffn, 8)}`;
        return ` ${String(each.index).padEnd(5)} ${formatSourceId(each.values.SID)} ${middle} ${hex(each.values.V, 2)}  ${hex(memory.u64(each.address + 8n), 16)}\t${hex(low, 16)}\n`;
      });
    return `${head} IR table address:${table.toString(16)}\n${columns}\n${rows.join('')}`;
  };
  return `${unit('Remapped', ' Entry SrcID   DstID    Vct IRTE_high\t\tIRTE_low')}\n****\n`;
}

/** `info tlb` of QEMU's monitor: every leaf of the walk from CR3. Source: QEMU 7.2 target/i386/monitor.c, behaviour. */
export function infoTlbText(memory: PhysicalMemory, root: TableRoot): string {
  const letters = (bits: number, size: number): string =>
    (
      [
        ['X', (bits & MAPPING.EXECUTE) === 0],
        ['G', bits & MAPPING.GLOBAL],
        ['P', size === 4096 ? bits & MAPPING.PAT : true],
        ['D', bits & MAPPING.DIRTY],
        ['A', bits & MAPPING.ACCESSED],
        ['C', bits & MAPPING.CACHE_DISABLE],
        ['T', bits & MAPPING.WRITE_THROUGH],
        ['U', bits & MAPPING.USER],
        ['W', bits & MAPPING.WRITE],
      ] as const
    )
      .map(([letter, on]) => (on ? letter : '-'))
      .join('');
  let text = '';
  for (const { iova, phys, size, bits } of leavesOf(walkTable(memory, root).extents)) {
    text += `${hex(iova, 16)}: ${hex(phys, 16)} ${letters(bits, size)}\n`;
  }
  return text;
}
