import type { WatchedPath } from '../../domain/watched-path.ts';
import type { Ending, FileInfo } from '../reader.ts';
import type { EventFollower } from './event-follower.ts';
import { readTime } from './read-time.ts';
import { isTrainingBegunAfter, type Traces } from './trainer-activity.ts';
import { isShared, sharedMs } from './trainer-ending.ts';

export interface EventRun {
  readonly path: WatchedPath;
  readonly events: EventFollower;
}

/** The end of a Trainer's training by its own event file, of the one that was begun last. Oldest first. */
export function endingOfEvents(
  runs: readonly EventRun[],
  files: readonly FileInfo[],
  logs: Traces['logs'],
): { ending?: Ending; goesOn: boolean } {
  const last = runs.findLast(({ events }) => events.trainerArguments !== undefined);
  const endedAt = last?.events.trainerEndedAtSeconds;
  if (!last || endedAt === undefined) return { goesOn: false };
  const step = last.events.lastTrainingStep;
  const evidence = { path: last.path, atMs: endedAt * 1000, ...(step !== undefined && { step }) };
  const traces = { kinds: kindsOf(runs), logs };
  if (isTrainingBegunAfter(evidence, files, traces)) return { goesOn: true };
  const time = readTime(endedAt)?.iso;
  const ending: Ending = {
    status: 'completed',
    by: last.path,
    ...(time !== undefined && { endedAt: time }),
    ...(isShared(evidence, files, traces) && { quietMs: sharedMs }),
  };
  return { ending, goesOn: false };
}

function kindsOf(runs: readonly EventRun[]): Traces['kinds'] {
  const kinds = new Map<WatchedPath, 'training' | 'other'>();
  for (const { path, events } of runs) {
    if (events.trainerArguments) kinds.set(path, 'training');
    else if (events.lastValues.size > 0) kinds.set(path, 'other');
  }
  return kinds;
}
