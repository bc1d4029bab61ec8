import { countSaid } from '../domain/amounts.ts';
import type { Status } from '../ports/status.ts';
import type { ReportFinding } from './report-codes.ts';
import type { WatchFacts } from './report-facts.ts';

/** An event is lost now and then on any host; so many at once are a file system that does not tell. */
const missedWarn = 10;

/** Nothing is found in a folder that is not there. */
export function folderFindings({ folder, folderState, running }: Status): ReportFinding[] {
  if (!running || (folderState !== 'missing' && folderState !== 'unreadable')) return [];
  const isMissing = folderState === 'missing';
  return [
    {
      code: isMissing ? 'folder.missing' : 'folder.unreadable',
      level: 'critical',
      finding: `the folder ${JSON.stringify(folder)} ${isMissing ? 'is not there' : 'cannot be read'}`,
      evidence: 'what is in the journal is shipped all the same',
      remedy: isMissing
        ? 'create it, mount it, or correct watch.directory; trainlogd waits for it'
        : 'let the user that trainlogd runs as read it: trainlogd doctor says what is in the way',
    },
  ];
}

export function watchFindings({ by, degraded, missedLately }: WatchFacts): ReportFinding[] {
  if (degraded !== undefined) {
    const { code, message, remedy } = degraded;
    return [{ code: 'watch.degraded', level: 'warning', finding: message, evidence: code, remedy }];
  }
  if (by !== 'events' || missedLately < missedWarn) return [];
  return [
    {
      code: 'watch.missed',
      level: 'warning',
      finding: `${countSaid(missedLately, 'change')} since the last report came without an event and were found by looking`,
      evidence: 'the whole folder is looked at every watch.rescan: nothing is lost, it is noticed later',
      remedy:
        'on a file system that does not tell of changes (some overlays and mounts of other hosts) set watch.polling: true',
    },
  ];
}
