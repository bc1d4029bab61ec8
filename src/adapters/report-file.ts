import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../ports/report.ts';
import { syncDirectory } from './directory-layout.ts';
import { errnoOf } from './errno.ts';

const fileName = 'report.json';
const readBytesMax = 4 * 1024 * 1024;

export function reportFileOf(stateDirectory: string): string {
  return join(stateDirectory, fileName);
}

/**
 * Whoever reads it finds a whole report: written under another name, synced, then shown by a rename. One of us at a time
 * holds the directory, so that the other name is ours; what a crash left there is written over. Throws the system's error.
 */
export async function writeReportFile(stateDirectory: string, report: Report): Promise<void> {
  const path = reportFileOf(stateDirectory);
  const temporary = `${path}.tmp`;
  try {
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(report, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined); // reason: the first error is the one to be told
    throw error;
  }
  await syncDirectory(stateDirectory);
}

/** When something last arrived, by the last report: outlives the process. Undefined where there is none that says so. */
export async function lastSuccessIn(stateDirectory: string): Promise<number | undefined> {
  try {
    const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
    const file = await open(reportFileOf(stateDirectory), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile() || stat.size > readBytesMax) return undefined;
      return timeIn(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) === 'UNKNOWN') throw error;
    return undefined; // reason: there need not be one, and one that cannot be read says nothing
  }
}

function timeIn(text: string): number | undefined {
  try {
    const said: unknown = Reflect.get(Object(JSON.parse(text)), 'lastSuccessAt');
    const ms = Date.parse(String(said));
    return Number.isNaN(ms) ? undefined : ms;
  } catch {
    return undefined; // reason: what is no JSON tells nothing
  }
}
