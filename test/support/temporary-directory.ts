import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Cleanup } from './trainlogd.ts';

/**
 * A fresh directory by its real path, gone after the test, whatever was left in it. Tests that run at the same time
 * say whose it is.
 */
export async function temporaryDirectory(
  context: Pick<Cleanup, 'onTestFinished'> = { onTestFinished },
): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'trainlogd-test-')));
  context.onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
