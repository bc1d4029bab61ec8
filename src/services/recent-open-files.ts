import type { Clock } from '../ports/clock.ts';
import type { ProcessTable } from '../ports/process-table.ts';

/** As old as an answer may be: a second, or longer where a look costs so much that it would be a burden. */
const ageMsMin = 1000;
const ageMsMax = 60_000;
const costShare = 0.05;
/** Of more open files nothing is remembered: some megabytes are the limit. */
const filesMax = 50_000;

interface Look {
  /** Monotonic: when it began. What was opened before is in it. */
  readonly atMs: number;
  readonly files: Promise<ReadonlySet<string> | undefined>;
  costMs: number;
}

/**
 * The same processes, whose open files are looked at once for all sessions that ask at about the same time: with
 * thousands of processes one look takes longer than all else that a session needs. Not for whoever deletes: between a
 * look and its use somebody may open the file.
 */
export function withRecentOpenFiles(processes: ProcessTable, clock: Clock): ProcessTable {
  let last: Look | undefined;

  const recent = (): Promise<ReadonlySet<string> | undefined> => {
    const nowMs = clock.monotonicMs();
    const ageMs = Math.min(Math.max(ageMsMin, (last?.costMs ?? 0) / costShare), ageMsMax);
    if (last && nowMs - last.atMs < ageMs) return last.files;
    const look: Look = { atMs: nowMs, files: processes.allHeldOpen(filesMax), costMs: 0 };
    last = look;
    const measure = () => {
      look.costMs = clock.monotonicMs() - look.atMs;
    };
    look.files.then(measure, measure);
    return look.files;
  };

  return {
    identify: (pid) => processes.identify(pid),
    isAlive: (identity) => processes.isAlive(identity),
    variables: (identity, names) => processes.variables(identity, names),
    allHeldOpen: (max) => processes.allHeldOpen(max),
    async heldOpen(files) {
      const open = await recent();
      if (!open) return await processes.heldOpen(files);
      return new Set([...files].filter((file) => open.has(file)));
    },
  };
}
