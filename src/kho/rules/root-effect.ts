// SPDX-License-Identifier: Apache-2.0
import { decodeLatin1 } from '../../bytes/latin1.js';
import { khoRoot } from '../../schemas/abi/kho-root.js';
import type { Handover } from '../handover.js';
import { LibfdtView } from '../libfdt-view.js';
import type { KernelEffect } from './rule.js';

/** Nodes that released kernels look for; who registers one of the others looks for it too. */
const SUBTREES = ['kexec-metadata', 'LUO', 'memblock'];

const isAddress = (value: Uint8Array | undefined): boolean =>
  value?.length === 8 && value.some((byte) => byte !== 0);

/**
 * What a kernel does about a root whose FDT is damaged, by what it still finds in it: without header, version or map it
 * boots plainly (kho_populate(), Linux 7.3.4); where the node of LUO is there and cannot be read it panics
 * (luo_early_startup()); what is not found is lost, and nobody says so.
 */
export function effectOfRoot({ root: { fdt }, isForm2023 }: Handover): KernelEffect {
  if (fdt === undefined) return 'plain-boot';
  const view = new LibfdtView(fdt);
  if (!view.isAccepted) return 'plain-boot';
  const strings = decodeLatin1(view.property(view.root, 'compatible') ?? new Uint8Array(0)).split('\0');
  if (!khoRoot.versions.some(({ key }) => strings.includes(key))) return 'plain-boot';
  if (isForm2023) return 'silent';
  if (!isAddress(view.property(view.root, 'preserved-memory-map'))) return 'plain-boot';
  // Sizes came with kho-v3.
  const isSized = !strings.some((each) => /^kho-v[12]$/.test(each));
  const isWhole = (name: string): boolean => {
    const node = view.subnode(name);
    if (node === undefined) return false;
    const pointer = view.property(node, 'preserved-data') ?? view.property(node, 'fdt');
    return pointer?.length === 8 && (!isSized || view.property(node, 'blob-size')?.length === 8);
  };
  if (view.subnode('LUO') !== undefined && !isWhole('LUO')) return 'panic';
  return SUBTREES.every(isWhole) ? 'none' : 'silent';
}
