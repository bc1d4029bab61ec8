import type { Agent } from '../compose.ts';
import { displayPath } from '../domain/watched-path.ts';

/** Every file that did not get there, by name and reason. */
export function unsentLines(agent: Agent, ignoresOpen: boolean): string[] {
  const { journal, tracker, folder } = agent;
  const backlog = journal.backlog(folder);
  return [
    ...backlog.unsent.map((item) => `${item.session}: ${item.path}: ${item.reason}`),
    ...backlog.parked.map(
      (item) => `${item.session}: ${item.path}: ${item.code}: ${item.cause}: ${item.remedy}`,
    ),
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
