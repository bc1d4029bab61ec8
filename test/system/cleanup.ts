import type { Cleanup } from '../support/trainlogd.ts';

/** What a test of minutes leaves behind goes before the next one begins. */
export async function withCleanup(work: (context: Cleanup) => Promise<void>): Promise<void> {
  const cleanups: (() => unknown)[] = [];
  try {
    await work({
      onTestFinished: (cleanup) => void cleanups.push(cleanup),
      onTestFailed: () => undefined,
    });
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}
