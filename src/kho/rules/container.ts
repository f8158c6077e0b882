// SPDX-License-Identifier: Apache-2.0
// Family 1: the root FDT and the blobs that its nodes lead to.

import { formatHex } from '../../bytes/hex.js';
import { quoteName } from '../../bytes/printable.js';
import { memfd } from '../../schemas/abi/memfd.js';
import type { Identified } from '../../schemas/identify.js';
import { versionName } from '../../schemas/lang/family.js';
import { sizeOf } from '../../schemas/lang/size.js';
import { releaseSet } from '../../schemas/releases.js';
import { isBeyondProcessor, mapsEarly } from '../early-mapping.js';
import { isOfBlob, issuesThat, tellIssues } from './from-issues.js';
import { effectOfRoot } from './root-effect.js';
import type { FindingPlace, KernelEffect, Rule } from './rule.js';

const KHO = 'kernel/liveupdate/kexec_handover.c, Linux 7.3.4';
const VALUES: ReadonlySet<string> = new Set([
  'BAD_VALUE',
  'NOT_ZERO',
  'MISSING',
  'BAD_LENGTH',
  'BAD_NAME',
  'TRUNCATED',
]);

/** Rules for containers. */
export const containerRules: readonly Rule[] = [
  {
    id: 'root-fdt',
    family: 'container',
    severity: 'error',
    title: 'The root is a valid FDT where it is said to be',
    why: 'The next kernel checks the header first. Where it is wrong, the kernel ignores the handover with one warning, boots plainly, and uses all preserved memory again.',
    source: `kho_populate(), ${KHO}; libfdt fdt_check_full()`,
    effect: 'plain-boot',
    needs: [],
    check: (handover, tell) => {
      const own = handover.issues.filter(
        ({ part, code }) => part === 'root' && /^FDT_ERR|^NO_FDT|^ABSENT/.test(code),
      );
      if (own.length === 0) return;
      const effect = isBeyondProcessor(handover.root.address) ? 'oops' : effectOfRoot(handover);
      tellIssues(own, tell, () => effect);
    },
  },
  {
    id: 'setup-data',
    family: 'container',
    severity: 'error',
    title:
      'The entry of setup_data has the sizes that kernels write: its own, and that of the page of the root',
    why: 'The kernel maps as many bytes as it is told. Where they are none, or more than 64 pages, it ignores the handover; other sizes come to nothing.',
    source: `add_kho(), arch/x86/kernel/setup.c; kho_populate(), ${KHO}; early_memremap(), mm/early_ioremap.c`,
    effect: 'plain-boot',
    needs: ['memory'],
    check: ({ setupData, isForm2023 }, tell) => {
      if (setupData === undefined) return;
      const { address, length, fdtAddress, fdtSize } = setupData;
      const judge = (field: string, at: bigint, wanted: bigint, found: bigint, mapped: bigint): void => {
        if (found === wanted) return;
        const message = `expected ${wanted} bytes in ${field} of setup_data, found ${found}`;
        const effect = mapsEarly(mapped, found) ? 'none' : 'plain-boot';
        tell(message, { path: `setup_data.${field}`, address: at, other: mapped }, { effect });
      };
      judge('len', address + 12n, isForm2023 ? 48n : 32n, BigInt(length), address + 16n);
      // In the form of 2023 it is that of the tree, which the tree says itself.
      if (!isForm2023) judge('fdt_size', address + 24n, 4096n, fdtSize, fdtAddress);
    },
  },
  {
    id: 'root-version',
    family: 'container',
    severity: 'error',
    title: 'The root carries a version string that is known',
    why: 'A kernel accepts no version but its own, neither older nor newer ones. With any other it boots plainly and nothing stays reserved.',
    source: `kho_populate(), ${KHO}; include/linux/kho/abi/kexec_handover.h`,
    effect: 'plain-boot',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'root' && code === 'NO_VERSION'),
  },
  {
    id: 'root-layout',
    family: 'container',
    severity: 'error',
    title: 'The root has the properties and nodes of its version, of their sizes and with sensible values',
    why: 'Without preserved-memory-map, or with 0 in it, the handover is ignored; a node without its address or size is lost to its subsystem.',
    source: `kho_get_mem_map_phys(), kho_retrieve_subtree(), ${KHO}`,
    effect: 'plain-boot',
    needs: [],
    check: issuesThat(
      ({ part, code }) => part === 'root' && (VALUES.has(code) || code === 'BAD_LEVELS'),
      // LUO does not start where its node is there and cannot be read.
      ({ path = '' }) =>
        path.startsWith('/LUO')
          ? 'panic'
          : /^\/(?:$|compatible|preserved-memory-map)/.test(path)
            ? undefined
            : 'silent',
    ),
  },
  {
    id: 'version-release',
    family: 'container',
    severity: 'note',
    title: 'Versions are those that the release in kexec-metadata writes',
    why: 'A kernel writes one version of each format and accepts no other. One that does not go with the release comes from a patched kernel, from kho migrate, or is damage: a kernel of that release would refuse it.',
    source: `${KHO}; docs/compat.md`,
    effect: 'plain-boot',
    needs: ['root'],
    check: ({ root, consumers, metadata, sessions }, tell) => {
      const written = metadata && releaseSet(metadata.previousRelease);
      if (metadata === undefined || written === undefined) return;
      const judge = (found: Identified | undefined, place: FindingPlace, effect: KernelEffect): void => {
        const same = written.writes.filter(({ family }) => family === found?.family);
        if (
          found === undefined ||
          same.length === 0 ||
          same.some(({ version }) => version.key === found.version.key)
        )
          return;
        const names = same.map(({ version }) => versionName(version)).join(' or ');
        const message = `expected ${names}, which Linux ${quoteName(metadata.previousRelease)} writes, found ${versionName(found.version)}`;
        tell(message, place, { effect });
      };
      judge(root.identified, { path: '/compatible', address: root.address }, 'plain-boot');
      for (const { name, identified, address } of consumers)
        judge(
          identified,
          { path: `/${name}`, address, other: root.address },
          name === 'LUO' ? 'panic' : 'silent',
        );
      const memfds = written.writes
        .filter(({ family }) => family === memfd)
        .map(({ version }) => version.key);
      const known = new Set(memfd.versions.map(({ key }) => key));
      for (const { files } of sessions)
        for (const { compatible, address, path } of files)
          if (known.has(compatible) && memfds.length > 0 && !memfds.includes(compatible))
            tell(
              `expected ${memfds.join(' or ')}, which Linux ${quoteName(metadata.previousRelease)} writes, found ${quoteName(compatible)}`,
              { path: `${path}.compatible`, address },
              { effect: 'open-fails' },
            );
    },
  },
  {
    id: 'root-unknown',
    family: 'container',
    severity: 'warning',
    title: 'The root has nothing that its version does not know',
    why: 'Kernels pass over such members. They come from another version or a patched kernel, whose state is then lost.',
    source: KHO,
    effect: 'silent',
    needs: ['root'],
    check: issuesThat(({ part, code }) => part === 'root' && code === 'UNKNOWN'),
  },
  {
    id: 'root-duplicate',
    family: 'container',
    severity: 'error',
    title: 'No two nodes of the root have one name',
    why: 'libfdt finds the first node of a name only: what the second one leads to is lost, and nothing says so.',
    source: `kho_retrieve_subtree(), ${KHO}; fdt_subnode_offset()`,
    effect: 'silent',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'root' && code === 'DUPLICATE'),
  },
  {
    id: 'blob-present',
    family: 'container',
    severity: 'error',
    title: 'The blob of every consumer lies in memory that is there',
    why: 'The kernel takes the address as it is. One beyond memory is an oops, one in the wrong place a blob of the wrong version.',
    source: `kho_retrieve_subtree(), ${KHO}`,
    effect: 'oops',
    needs: ['memory'],
    check: issuesThat((issue) => isOfBlob(issue) && issue.code === 'ABSENT'),
  },
  {
    id: 'blob-fdt',
    family: 'container',
    severity: 'error',
    title: 'Blobs that are FDTs are valid',
    why: 'A subsystem whose blob is malformed starts without its state, or does not start.',
    source: 'mm/memblock.c, Linux 7.3.4; libfdt fdt_check_full()',
    effect: 'silent',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'consumer' && code.startsWith('FDT_ERR')),
  },
  {
    id: 'blob-version',
    family: 'container',
    severity: 'error',
    title: 'Blobs carry a version that is known',
    why: 'A subsystem refuses what is not its own version: LUO panics, memblock reserves afresh, kexec-metadata is passed over.',
    source: 'kernel/liveupdate/luo_core.c, mm/memblock.c, Linux 7.3.4',
    effect: 'panic',
    needs: [],
    check: (handover, tell) => {
      for (const { code, message, path, address, consumer } of handover.issues.filter(isOfBlob))
        if (code === 'NO_VERSION')
          tell(message, { path, address }, { effect: consumer === 'LUO' ? 'panic' : 'silent' });
    },
  },
  {
    id: 'blob-size',
    family: 'container',
    severity: 'error',
    title: 'A blob is at least as long as what it holds, and not longer than memory',
    why: 'blob-size is what the subsystem is told. LUO panics on one that is too small; a tree that goes on behind it is cut. One that is too large is believed, and nobody reads that far.',
    source: 'kernel/liveupdate/luo_core.c, Linux 7.3.4; kho-core.md section 3',
    effect: 'panic',
    needs: [],
    check: ({ root, consumers }, tell) => {
      for (const { name, declaredSize } of root.consumers) {
        const consumer = consumers.find((each) => each.name === name);
        const { identified, bytes, address } = consumer ?? {};
        if (declaredSize === undefined || bytes === undefined) continue;
        const place = { path: `/${name}/blob-size`, address: root.address, other: address };
        if (declaredSize > BigInt(bytes.length)) {
          const message = `expected a blob-size that memory has room for at ${formatHex(address ?? 0n)}, found ${declaredSize}`;
          tell(message, place, { effect: 'none' });
        }
        if (identified === undefined) continue;
        const { layout } = identified.version;
        const needed =
          layout.kind !== 'node'
            ? sizeOf(layout)
            : bytes.length < 8
              ? 8
              : new DataView(bytes.buffer, bytes.byteOffset, 8).getUint32(4);
        if (needed === undefined || declaredSize >= BigInt(needed)) continue;
        const message = `expected a blob-size of at least ${needed} bytes for ${name} at ${formatHex(address ?? 0n)}, found ${declaredSize}`;
        const effect = name === 'LUO' ? 'panic' : 'silent';
        tell(message, place, { effect });
      }
    },
  },
  {
    id: 'blob-layout',
    family: 'container',
    severity: 'error',
    title: 'Blobs other than that of LUO keep the rules of their layout',
    why: 'Values out of range are refused, or taken for what they are not. LUO has rules of its own.',
    source: 'include/linux/kho/abi, Linux 7.3.4; docs/reference',
    effect: 'silent',
    needs: [],
    check: issuesThat(
      ({ part, code, consumer }) => part === 'consumer' && consumer !== 'LUO' && VALUES.has(code),
    ),
  },
  {
    id: 'blob-unknown',
    family: 'container',
    severity: 'warning',
    title: 'Blobs have nothing that their version does not know',
    why: 'Subsystems pass over such members: their state is lost.',
    source: 'docs/reference',
    effect: 'silent',
    needs: [],
    check: issuesThat(({ part, code }) => part === 'consumer' && code === 'UNKNOWN'),
  },
  {
    id: 'consumer-unknown',
    family: 'container',
    severity: 'note',
    title: 'Every consumer is known',
    why: 'What a consumer without a declared layout leads to cannot be followed: whether it is preserved is not checked. A kernel that looks for no such node passes over it, and what it keeps is lost.',
    source: `kho_retrieve_subtree(), ${KHO}; src/schemas/registry.ts`,
    effect: 'silent',
    needs: ['root'],
    check: issuesThat((issue) => isOfBlob(issue) && issue.code === 'NO_LAYOUT'),
  },
];
