import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // npm run test:browser
    exclude: ['test/browser/**'],
    globalSetup: ['test/build-cli.ts'],
    testTimeout: 30_000,
    maxWorkers: 2,
    // Test files of a worker share the modules they load, a third of the time otherwise.
    isolate: false,
  },
});
