import { FileFailure } from '../domain/failure.ts';
import type { Entry, FileSource } from '../ports/file-source.ts';
import type { ProcessIdentity, ProcessTable } from '../ports/process-table.ts';

/** The system tells start times to a second at best; a number is not reused that fast. */
const startToleranceMs = 1500;
const pidBytesMax = 64;

/**
 * The process that session.pid names, if it can be believed: it is in our view and had started when the file was written.
 * Otherwise the number is of another namespace or boot, and says nothing.
 */
export async function believedProcess(
  source: FileSource,
  processes: ProcessTable,
  entry: Entry,
): Promise<ProcessIdentity | undefined> {
  const pid = await readPid(source, entry);
  if (pid === undefined) return undefined;
  const identity = await processes.identify(pid);
  const writtenAtMs = Number(entry.stat.mtimeNs / 1_000_000n);
  return identity && identity.startedAtMs <= writtenAtMs + startToleranceMs ? identity : undefined;
}

async function readPid(source: FileSource, entry: Entry): Promise<number | undefined> {
  if (entry.stat.sizeBytes === 0 || entry.stat.sizeBytes > pidBytesMax) return undefined;
  try {
    const file = await source.open(entry.path);
    try {
      const text = (await file.read(0, Math.min(file.sizeBytes, pidBytesMax))).toString('latin1');
      const digits = /^\s*([1-9]\d{0,9})\s*$/.exec(text)?.[1];
      return digits === undefined ? undefined : Number(digits);
    } finally {
      await file.close();
    }
  } catch (error) {
    // A file that cannot be read names no process; as a companion it is reported.
    if (error instanceof FileFailure) return undefined;
    throw error;
  }
}
