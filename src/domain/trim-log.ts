import { renderSessionLog, type SessionLog } from './session-log.ts';

/** What can be left out of a log that is too large, the least missed first. Files are always named. */
const droppable: readonly { name: string; drop: (log: SessionLog) => SessionLog }[] = [
  { name: 'history', drop: (log) => without(log, 'history') },
  { name: 'native', drop: (log) => ({ ...log, native: {} }) },
  {
    name: 'config.raw',
    drop: (log) => ({ ...log, ...(log.config && { config: without(log.config, 'raw') }) }),
  },
  {
    name: 'results.metrics',
    drop: (log) => ({ ...log, ...(log.results && { results: without(log.results, 'metrics') }) }),
  },
  {
    name: 'results.checkpointsSaved',
    drop: (log) => ({ ...log, ...(log.results && { results: without(log.results, 'checkpointsSaved') }) }),
  },
  {
    name: 'companions[].contentType',
    drop: (log) => ({ ...log, companions: log.companions.map((entry) => without(entry, 'contentType')) }),
  },
];

/** Each part that is left out is named in a warning. */
export function trimLog(log: SessionLog, bytesMax: number): SessionLog {
  let fitting = log;
  for (const { name, drop } of droppable) {
    const bytes = bytesOf(fitting);
    if (bytes <= bytesMax) return fitting;
    const smaller = drop(fitting);
    if (bytesOf(smaller) === bytes) continue;
    const warning = `${name} is left out: the log would be larger than sessionLog.bytesMax, ${bytesMax} bytes`;
    fitting = { ...smaller, warnings: [...fitting.warnings, warning] };
  }
  if (bytesOf(fitting) <= bytesMax) return fitting;
  const warning = `the log is larger than sessionLog.bytesMax, ${bytesMax} bytes: its files are named, whatever that takes`;
  return { ...fitting, warnings: [...fitting.warnings, warning] };
}

/** At its longest: what is left out must not depend on the revision. */
function bytesOf(log: SessionLog): number {
  const session = { ...log.session, revision: Number.MAX_SAFE_INTEGER };
  return Buffer.byteLength(renderSessionLog({ ...log, session }));
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = value;
  return rest;
}
