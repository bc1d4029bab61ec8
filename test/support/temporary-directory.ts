import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A fresh directory by its real path, gone after the test, whatever was left in it. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'trainlogd-test-')));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
