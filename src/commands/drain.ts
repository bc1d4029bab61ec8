import type { Agent } from '../compose.ts';
import type { Edge } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { Progress } from './progress.ts';
import { ship } from './ship.ts';

export interface DrainFlags extends GlobalFlags {
  readonly timeoutMs: number;
  readonly final?: boolean;
}

/** `trainlogd drain`: ship all that is there now, then stop. */
export function drain(edge: Edge, flags: DrainFlags, directory: string | undefined): Promise<number> {
  const progress = new Progress(edge);
  return ship(edge, flags, {
    directory,
    takeAll: true,
    includeSkipped: true,
    givesUpAbsent: true,
    timeoutMs: flags.timeoutMs,
    prepare: ({ observer }) => observer.sealOpenSessions(flags.final ? 'interrupted' : 'stalled', 'drain', 0),
    isDone: isDrained,
    onProgress: (agent) => progress.show(agent),
  });
}

/** `trainlogd backfill`: the same for the sessions that `watch.ignoreOlderThan` left alone, and no open one. */
export function backfill(edge: Edge, flags: GlobalFlags, directory: string | undefined): Promise<number> {
  const progress = new Progress(edge);
  return ship(edge, flags, {
    directory,
    takeAll: true,
    includeSkipped: true,
    ignoresOpen: true,
    prepare: ({ observer }, { config }) => {
      const quietForMs = Math.min(config.watch.ignoreOlderThanMs, config.watch.idleMs);
      observer.sealOpenSessions('stalled', 'backfill', quietForMs);
    },
    isDone: (agent) => agent.watcher.surveysDone > 0 && agent.uploader.isShipped,
    onProgress: (agent) => progress.show(agent),
  });
}

function isDrained({ watcher, uploader }: Agent): boolean {
  return watcher.surveysDone > 0 && uploader.isIdle;
}
