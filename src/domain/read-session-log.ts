import { type SessionLog, sessionLogSchema } from './session-log.ts';

/**
 * A log of the bucket, of this version or a later one: what this program does not know is left out, all else counts.
 * Undefined when it is no session log, or one of another format.
 */
export function readSessionLog(text: string): SessionLog | undefined {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined; // reason: damaged is as good as not there, whoever wrote it
  }
  const read = sessionLogSchema.safeParse(found);
  if (read.success) return read.data;
  for (const issue of read.error.issues) {
    if (issue.code === 'unrecognized_keys') remove(found, issue.path, issue.keys);
  }
  return sessionLogSchema.safeParse(found).data;
}

function remove(root: unknown, path: readonly PropertyKey[], keys: readonly string[]): void {
  let at: unknown = root;
  for (const step of path) at = (at as Record<PropertyKey, unknown>)[step];
  for (const key of keys) delete (at as Record<string, unknown>)[key];
}
