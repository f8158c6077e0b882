// SPDX-License-Identifier: Apache-2.0
// The structs and numbers of iommufd ioctls: against the kernel's own headers where they are installed (linux-libc-dev of
// 6.6 and later; KHO_UAPI_HEADERS names another folder), against gcc's layout of the derived headers, and against a list
// of sizes that was made from the headers of 7.3.4.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryOf } from '../../src/fuzz/arbitrary.js';
import {
  cHeader,
  check,
  encodeUnchecked,
  fieldOffsets,
  ioctlNamed,
  ioctlNames,
  ioctlNumbered,
  ioctls,
  iommuHwInfoVtd,
  iommuHwptVtdS1,
  iommuIovaRange,
  type StructType,
  sizeOf,
} from '../../src/schemas/index.js';

/** name, number, size, least size: Linux 7.3.4. */
const KNOWN = `
DESTROY 80 8 8, IOAS_ALLOC 81 12 12, IOAS_ALLOW_IOVAS 82 24 24, IOAS_COPY 83 40 40, IOAS_IOVA_RANGES 84 32 32,
IOAS_MAP 85 40 40, IOAS_UNMAP 86 24 24, OPTION 87 24 24, VFIO_IOAS 88 12 12, HWPT_ALLOC 89 48 24, GET_HW_INFO 8a 40 32,
HWPT_SET_DIRTY_TRACKING 8b 16 16, HWPT_GET_DIRTY_BITMAP 8c 48 48, HWPT_INVALIDATE 8d 32 32, FAULT_QUEUE_ALLOC 8e 16 16,
IOAS_MAP_FILE 8f 40 40, VIOMMU_ALLOC 90 40 24, VDEVICE_ALLOC 91 24 24, IOAS_CHANGE_PROCESS 92 8 8,
VEVENTQ_ALLOC 93 32 28, HW_QUEUE_ALLOC 94 40 40, IOAS_NOIOMMU_GET_PA 95 40 40, DEVICE_BIND_IOMMUFD 76 24 16,
DEVICE_ATTACH_IOMMUFD_PT 77 16 12, DEVICE_DETACH_IOMMUFD_PT 78 12 8`
  .trim()
  .split(/,\s+/)
  .map((row) => row.split(' '));

const build = join(import.meta.dirname, '..', '..', 'build', 'headers');
mkdirSync(build, { recursive: true });
const hasGcc = spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;
const headers = process.env['KHO_UAPI_HEADERS'] ?? '/usr/include';
const hasKernelHeader = hasGcc && existsSync(join(headers, 'linux/iommufd.h'));
if (!hasKernelHeader)
  console.warn(`SKIP iommufd structs against the kernel's header: no ${headers}/linux/iommufd.h`);

function compile(name: string, text: string, ...options: string[]): string {
  const path = join(build, name);
  writeFileSync(path, text);
  const { status, stderr } = spawnSync(
    'gcc',
    ['-std=gnu11', '-Wall', '-Werror', '-fsyntax-only', ...options, path],
    {
      encoding: 'utf8',
    },
  );
  return status === 0 ? '' : stderr;
}

const structs = new Map<string, StructType>();
for (const name of ioctlNames()) structs.set(ioctls[name].layout.name, ioctls[name].layout);
for (const extra of [iommuIovaRange, iommuHwptVtdS1, iommuHwInfoVtd]) structs.set(extra.name, extra);

describe('ioctls of iommufd', () => {
  it('have the numbers and sizes of 7.3.4', () => {
    const ours = ioctlNames().map((name) => {
      const { cmd, layout, minSize } = ioctls[name];
      return [name, (cmd - 0x3b00).toString(16), `${sizeOf(layout)}`, `${minSize}`];
    });
    expect(ours).toEqual(KNOWN);
  });

  it('are found by name, name in the header, and number', () => {
    expect(ioctlNamed('IOAS_MAP')).toBe('IOAS_MAP');
    expect(ioctlNamed('IOMMU_IOAS_MAP')).toBe('IOAS_MAP');
    expect(ioctlNamed('VFIO_DEVICE_BIND_IOMMUFD')).toBe('DEVICE_BIND_IOMMUFD');
    expect(ioctlNumbered(0x3b91)).toBe('VDEVICE_ALLOC');
    expect(ioctlNumbered(0x3bff)).toBeUndefined();
    expect(ioctlNamed('toString')).toBeUndefined();
  });

  it('name outputs that are fields', () => {
    for (const name of ioctlNames())
      for (const field of ioctls[name].outputs)
        expect(Object.keys(ioctls[name].layout.fields), name).toContain(field);
  });

  it.skipIf(!hasKernelHeader)('are those of the kernel header that is installed', () => {
    const iommufd = readFileSync(join(headers, 'linux/iommufd.h'), 'utf8');
    const vfio = readFileSync(join(headers, 'linux/vfio.h'), 'utf8');
    const lines = ['#include <stddef.h>', '#include <linux/iommufd.h>', '#include <linux/vfio.h>'];
    let compared = 0;
    for (const [name, layout] of structs) {
      // Older headers have fewer structs, and shorter ones.
      const isThere = new RegExp(`struct ${name} \\{`).test(iommufd + vfio);
      if (!isThere) continue;
      compared++;
      for (const [field, offset] of fieldOffsets(layout)) {
        const text = name.startsWith('vfio') ? vfio : iommufd;
        const body = new RegExp(`struct ${name} \\{([\\s\\S]*?)\\n\\};`).exec(text)?.[1] ?? '';
        if (new RegExp(`\\b${field}\\b`).test(body))
          lines.push(`_Static_assert(offsetof(struct ${name}, ${field}) == ${offset}, "${name}.${field}");`);
      }
    }
    for (const name of ioctlNames()) {
      const { macro, cmd, layout, minSize } = ioctls[name];
      lines.push(`#ifdef ${macro}`, `_Static_assert(${macro} == ${cmd}, "${macro}");`);
      lines.push(`_Static_assert(sizeof(struct ${layout.name}) >= ${minSize}, "least ${layout.name}");`);
      lines.push(
        `_Static_assert(sizeof(struct ${layout.name}) <= ${sizeOf(layout)}, "size ${layout.name}");`,
        '#endif',
      );
    }
    expect(compile('iommufd-kernel.c', `${lines.join('\n')}\n`, '-I', headers)).toBe('');
    expect(compared).toBeGreaterThan(15);
  });

  it.skipIf(!hasGcc)('lie in C where they are declared to lie', () => {
    for (const [name, layout] of structs)
      expect(compile(`${name}.c`, cHeader(layout, `KHO_${name.toUpperCase()}_H`))).toBe('');
  });

  it.each([...structs])('%s survives encoding and decoding', (_, layout) => {
    fc.assert(
      fc.property(arbitraryOf(layout), (value) => {
        const found = check<StructType>(layout, encodeUnchecked(layout, value));
        expect(found.issues).toEqual([]);
        expect(found.value).toEqual(value);
      }),
      { numRuns: 50 },
    );
  });
});
