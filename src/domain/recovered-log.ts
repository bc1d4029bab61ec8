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
  return missing.filter(({ reason }) => reason === 'pending' || reason === 'changing');
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
 * What is said once nobody is there any more to send the rest. A file of a running session is never known to be whole:
 * it may have grown after its host was last heard of. So it is listed as truncated and named as missing, too, because a
 * log that misses nothing proves that its session is complete.
 */
export function recoveredLog(log: SessionLog, { completed, lost }: Recovered): SessionLog {
  const { session, companions, missing, warnings } = log;
  const isRunning = session.status === 'running';
  const isWhole = ({ path, bytes }: MissingEntry) => !isRunning && completed.get(path)?.bytes === bytes;
  const whole = new Set(missing.filter(isWhole).map(({ path }) => path));
  const listed = [...companions.filter(({ path }) => !completed.has(path)), ...completed.values()];
  const cut = [...completed.keys()].filter((path) => !whole.has(path));
  const isNamed = ({ path }: MissingEntry) => completed.has(path) || lost.has(path);
  return {
    ...log,
    session: {
      ...session,
      ...(isRunning && { status: 'interrupted' as const, sealedBy: recoveredBy }),
      revision: session.revision + 1,
    },
    companions: listed
      .map((entry) => (cut.includes(entry.path) ? { ...entry, truncated: true } : entry))
      .sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))),
    missing: missing
      .filter(({ path }) => !whole.has(path))
      .map((entry) => (isNamed(entry) ? { ...entry, reason: 'vanished' as const } : entry)),
    warnings: cut.length === 0 ? warnings : [...warnings, warningOf(cut.length)],
  };
}

function warningOf(count: number): string {
  const files = count === 1 ? '1 file was' : `${count} files were`;
  return `${files} completed by ${recoveredBy} from what the host had sent: the end may be missing`;
}
