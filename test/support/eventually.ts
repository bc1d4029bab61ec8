import { setTimeout as delay } from 'node:timers/promises';

/**
 * Tries `probe` until it neither throws nor answers `undefined` or `false`; at the deadline fails with what it did last.
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 10 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const last = await attempt(probe);
    if ('value' in last && last.value !== undefined && last.value !== null && last.value !== false) {
      return last.value;
    }
    if (performance.now() >= deadline) {
      const found = 'error' in last ? last.error : `it answered ${String(last.value)}`;
      throw new Error(`waiting ${timeoutMs} ms for what should come true: ${String(found)}`, {
        cause: found,
      });
    }
    await delay(everyMs);
  }
}

async function attempt<T>(probe: () => T | Promise<T>): Promise<{ value: T } | { error: unknown }> {
  try {
    return { value: await probe() };
  } catch (error) {
    return { error };
  }
}
