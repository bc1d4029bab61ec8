import { createHash } from 'node:crypto';
import { pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import { directoryIdentity, type FileSource, type FileStat, fingerprintOf } from '../ports/file-source.ts';
import type { FileRecord } from '../ports/journal.ts';
import type { SessionFile } from './sort-files.ts';

/** A claim on what a look found, and what it is known by with the link made; undefined where there is none. */
export async function claimFile(
  source: FileSource,
  sid: number,
  file: SessionFile,
  row: FileRecord | undefined,
): Promise<{ claim: string; fingerprint: string } | undefined> {
  const claim = row?.claim ?? claimName(sid, file.path);
  const stat = await source.claim(file.entry.path, claim);
  if (!stat) return undefined;
  if (directoryIdentity(stat) !== directoryIdentity(file.entry.stat)) {
    // Another file has taken the name since the look, maybe another session's.
    await source.releaseClaim(claim);
    return undefined;
  }
  const fingerprint = sameButForCtime(stat, file.entry.stat)
    ? fingerprintOf(stat)
    : fingerprintOf(file.entry.stat);
  return { claim, fingerprint };
}

function claimName(sid: number, path: WatchedPath): string {
  return `${sid}-${createHash('sha256').update(pathToBytes(path)).digest('hex').slice(0, 24)}`;
}

export function sameButForCtime(a: FileStat, b: FileStat): boolean {
  return a.ino === b.ino && a.sizeBytes === b.sizeBytes && a.mtimeNs === b.mtimeNs;
}
