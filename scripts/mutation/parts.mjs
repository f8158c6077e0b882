// SPDX-License-Identifier: Apache-2.0
// What is mutated, and which tests have to notice it. Tests are run some hundred thousand times: those that compare with
// other programs (gcc, dtc, libfdt) are left out where others cover the same code, and so are a few that are slow because
// they are large. A score is a lower bound of what the whole `npm test` would notice.

const ENV = { KHO_SCALE: '0.005', KHO_SEED: '1' };

export const PARTS = {
  fdt: {
    mutate: ['src/fdt/**/*.ts'],
    ignoreStatic: true,
    folders: ['test/fdt'],
    exclude: [
      'test/fdt/check.oracle.test.ts',
      'test/fdt/dts.oracle.test.ts',
      'test/fdt/libfdt.oracle.test.ts',
    ],
    skip: [
      ' wide',
      'limits what path references expand to',
      'reads more siblings than dtc can',
      '16,000 names',
    ],
    env: ENV,
  },
  schemas: {
    mutate: ['src/schemas/*.ts', 'src/schemas/lang/*.ts', 'src/schemas/steps/*.ts'],
    ignoreStatic: true,
    folders: ['test/schemas'],
    exclude: ['test/schemas/oracle.test.ts', 'test/schemas/types.test.ts'],
    skip: [
      'lists end where kernels give up',

      'ioctls of iommufd lie in C',
    ],
    env: ENV,
  },
  // Layouts are data, evaluated when they are loaded: every test has to be loaded anew for each mutant.
  abi: {
    mutate: ['src/schemas/abi/*.ts'],
    ignoreStatic: false,
    folders: ['test/schemas'],
    exclude: [
      'c-header.oracle',
      'dt-schema',
      'iommufd-uapi',
      'json-value',
      'oracle',
      'parser',
      'round-trip',
      'types',
    ].map((name) => `test/schemas/${name}.test.ts`),
    skip: [
      'lists end where kernels give up',

      'of any length that fits',
    ],
    env: ENV,
  },
};
