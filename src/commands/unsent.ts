import type { Agent } from '../compose.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { Backlog } from '../ports/backlog.ts';

/** At the end of a process each is named; a bound all the same, of what a log can hold and a person can look through. */
export const namedAtEnd = 100_000;

/** What a journal names as unsent. */
export function backlogLines({ unsent, parked, pendingFiles, parkedFiles }: Backlog): string[] {
  const lines = [
    ...unsent.map((item) => `${item.session}: ${item.path}: ${item.reason}`),
    ...parked.map((item) => `${item.session}: ${item.path}: ${item.code}: ${item.cause}: ${item.remedy}`),
  ];
  const more = Math.max(pendingFiles - namedAtEnd, 0) + Math.max(parkedFiles - namedAtEnd, 0);
  return more > 0 ? [...lines, `and ${more} more files, which go on at the next start`] : lines;
}

export interface Told {
  readonly ignoresOpen?: boolean;
  /** There is no later look that finds what this one did not come to. */
  readonly takeAll?: boolean;
}

/** Every file that did not get there, by name and reason. */
export function unsentLines(agent: Agent, { ignoresOpen = false, takeAll = false }: Told): string[] {
  const { journal, tracker, folder } = agent;
  return [
    ...(takeAll && !hasLooked(agent) ? [`${folder}: the time was over before it had been looked at`] : []),
    ...backlogLines(journal.backlog(folder, namedAtEnd)),
    ...(ignoresOpen ? [] : openFiles(agent)),
    ...tracker.notes
      .problems()
      .map(({ path, code, remedy }) => `${displayPath(path)}: not readable, ${code}: ${remedy}`),
  ];
}

/** A session that goes on is not whole in the bucket, whatever of it is. */
function openFiles({ tracker }: Agent): string[] {
  return tracker.sessions.unfinished().flatMap((tracked) => {
    const name = tracked.root === '' ? '.' : displayPath(tracked.root);
    if (tracked.changing.length > 0) {
      return tracked.changing.map((path) => `${name}: ${displayPath(path)}: it is still being written`);
    }
    return tracked.entries.map((entry) => `${name}: ${displayPath(entry.path)}: its session goes on`);
  });
}

/** At the folder, once; one that is not there needs no look. */
export function hasLooked({ watcher }: Agent): boolean {
  const { surveysDone, folderState } = watcher;
  return surveysDone > 0 || (folderState !== undefined && folderState.state !== 'present');
}
