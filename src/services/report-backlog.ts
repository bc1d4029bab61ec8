import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import type { ReportFacts } from './report-facts.ts';

/** What waits, and when it will be sent. */
export function backlogOf(facts: ReportFacts): Report['backlog'] {
  const { pendingFiles, pendingBytes, oldestPendingFoundAtMs } = facts.status.backlog;
  const { bytesPerSecond, stuckMs = 0 } = facts.pace;
  const drainMs = drainMsOf(facts);
  return {
    files: pendingFiles,
    bytes: pendingBytes,
    ...(oldestPendingFoundAtMs !== undefined && {
      oldestAgeSeconds: seconds(Math.max(0, facts.nowMs - oldestPendingFoundAtMs)),
    }),
    ...(stuckMs >= 1000 && { stuckSeconds: seconds(stuckMs) }),
    ...(bytesPerSecond !== undefined && { bytesPerSecond: Math.round(bytesPerSecond) }),
    ...(drainMs !== undefined && { drainSeconds: seconds(drainMs) }),
  };
}

/** At the present rate; undefined while nothing moves, and when nothing waits. */
export function drainMsOf({ status, pace: { drainBytesPerSecond: rate } }: ReportFacts): number | undefined {
  const bytes = unsentBytes(status);
  return bytes === 0 || rate === undefined ? undefined : (bytes * 1000) / rate;
}

/** Less what is there already of files that are under way. Files that grow are under way too, and wait for nothing. */
function unsentBytes({ backlog, uploads }: Status): number {
  const named = new Set(backlog.unsent.map(({ session, path }) => `${session}\0${path}`));
  const sent = uploads
    .filter(({ session, path }) => named.has(`${session}\0${path}`))
    .reduce((sum, one) => sum + one.sentBytes, 0);
  return Math.max(0, backlog.pendingBytes - sent);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
