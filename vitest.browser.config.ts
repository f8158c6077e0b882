import { defineConfig } from 'vitest/config';

// Tests that drive a browser: a gate of their own, since they need one.
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    globalSetup: ['test/build-cli.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 1,
  },
});
