import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';

/** All logs of a directory destination, by their keys' order. */
export async function shippedLogs(destination: string): Promise<SessionLog[]> {
  const names = await namesBelow(destination);
  const keys = names.filter((name) => /^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/.test(name)).sort();
  return Promise.all(keys.map((key) => readLog(join(destination, key))));
}

/** The one log of a destination that is to hold one session. */
export async function onlyLog(destination: string): Promise<SessionLog> {
  const [log, ...others] = await shippedLogs(destination);
  if (!log || others.length > 0) {
    throw new Error(`expected one session log in ${destination}, found ${others.length + (log ? 1 : 0)}`);
  }
  return log;
}

/** The bytes of each companion that a log lists, and what tells whether an object was written anew. */
export async function companionObjects(
  destination: string,
  log: SessionLog,
): Promise<Map<string, { text: string; written: string }>> {
  const objects = log.companions.map(async ({ path, key }) => {
    const file = join(destination, key);
    const { ino, mtimeNs } = await stat(file, { bigint: true });
    return [path, { text: await readFile(file, 'utf8'), written: `${ino} ${mtimeNs}` }] as const;
  });
  return new Map(await Promise.all(objects));
}

async function readLog(file: string): Promise<SessionLog> {
  return sessionLogSchema.parse(JSON.parse(await readFile(file, 'utf8')));
}

async function namesBelow(directory: string): Promise<string[]> {
  try {
    return await readdir(directory, { recursive: true });
  } catch (error) {
    // Nothing has been shipped yet.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
