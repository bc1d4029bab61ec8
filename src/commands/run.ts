import type { Agent } from '../compose.ts';
import type { Edge } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { ship } from './ship.ts';

export interface RunFlags extends GlobalFlags {
  /** Empty without a value; a duration replaces `watch.idle`. */
  readonly exitWhenDone?: string;
}

/** `trainlogd run`: the daemon, in the foreground, until a signal or until all is done. */
export function run(edge: Edge, flags: RunFlags, directory: string | undefined): Promise<number> {
  const { exitWhenDone } = flags;
  return ship(edge, flags, {
    directory,
    stays: true,
    ...(exitWhenDone && { overrides: { 'watch.idle': exitWhenDone } }),
    ...(exitWhenDone !== undefined && { isDone: isAllDone }),
  });
}

function isAllDone({ watcher, tracker, uploader }: Agent): boolean {
  return watcher.surveysDone > 0 && tracker.hasSeenWork && uploader.isIdle;
}
