import { defineConfig } from 'vitest/config';

/** Whole machines, images and packages: minutes, and more rights than a test usually has. */
export default defineConfig({
  test: {
    include: ['test/system/**/*.system.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    fileParallelism: false,
    globalSetup: ['test/support/global-setup.ts'],
  },
});
