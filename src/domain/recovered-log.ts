import type { CompanionEntry, MissingEntry, SessionLog } from './session-log.ts';

export const recoveredBy = 'trainlogd recover';

/** A log whose host is lost, with what became of each file that it missed and that somebody was to send. */
export interface Recovered {
  /** By the path that the log shows: objects that were completed. */
  readonly completed: ReadonlyMap<string, CompanionEntry>;
  /** Paths of which no part could be used. */
  readonly lost: ReadonlySet<string>;
}

/** Files that somebody was to send. */
export function unfinishedFiles({ missing }: SessionLog): readonly MissingEntry[] {
  const unfinished = missing.filter(({ reason }) => reason === 'pending' || reason === 'changing');
  return [...new Map(unfinished.map((entry) => [entry.path, entry])).values()];
}

/** Before their objects are replaced: these files are not listed, as the log says already that they are missing. */
export function withoutListed(log: SessionLog, paths: ReadonlySet<string>): SessionLog {
  const { session } = log;
  return {
    ...log,
    session: { ...session, revision: session.revision + 1 },
    companions: log.companions.filter(({ path }) => !paths.has(path)),
  };
}

/**
 * What is said once nobody is there any more to send the rest.
 *
 *   invariant: nothing leaves `missing`, and the log of a session that was running misses at least the session itself
 *
 * A log that is not running and misses nothing proves that its session is complete, and only the host knew what all of
 * it was. An object may be of the size that the log waited for and hold what the file was before, or parts of what it
 * was at two times; and beside the files that the last log names there may have been others. So what was completed is
 * listed as truncated and stays named, and `.` stands for what the host wrote after its last log.
 */
export function recoveredLog(log: SessionLog, { completed, lost }: Recovered): SessionLog {
  const { session, companions, missing, warnings } = log;
  const wasRunning = session.status === 'running';
  const listed = [...companions.filter(({ path }) => !completed.has(path)), ...completed.values()];
  const isOver = ({ path }: MissingEntry) => completed.has(path) || lost.has(path);
  const stillMissing = missing.map((entry) =>
    isOver(entry) ? { ...entry, reason: 'vanished' as const } : entry,
  );
  return {
    ...log,
    session: {
      ...session,
      ...(wasRunning && { status: 'interrupted' as const, sealedBy: recoveredBy }),
      revision: session.revision + 1,
    },
    companions: listed
      .map((entry) => (completed.has(entry.path) ? { ...entry, truncated: true } : entry))
      .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
    missing: wasRunning ? withSession(stillMissing) : stillMissing,
    warnings: [...new Set([...warnings, ...warningsOf(wasRunning, completed.size)])],
  };
}

/** As a look at a session's directory names it that is not there any more: no size, since it is no file. */
function withSession(missing: readonly MissingEntry[]): MissingEntry[] {
  const isNamed = missing.some(({ path }) => path === '.');
  return isNamed ? [...missing] : [...missing, { path: '.', reason: 'vanished' }];
}

function warningsOf(wasRunning: boolean, completed: number): string[] {
  const warnings: string[] = [];
  if (wasRunning)
    warnings.push(
      `its host was lost while it ran, says ${recoveredBy}: later files, and changes, are unknown`,
    );
  const files = completed === 1 ? '1 file was' : `${completed} files were`;
  if (completed > 0)
    warnings.push(
      `${files} completed by ${recoveredBy} from what the host had sent: nobody knows whether that is all`,
    );
  return warnings;
}
