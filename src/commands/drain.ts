import { type Edge, exitCode } from './edge.ts';
import { counted } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { Progress } from './progress.ts';
import { ship } from './ship.ts';
import type { ShipOptions } from './ship-options.ts';
import { hasLooked } from './unsent.ts';

export interface DrainFlags extends GlobalFlags {
  readonly timeoutMs: number;
  readonly final?: boolean;
}

/** `trainlogd drain`: ship all that is there now, then stop. */
export function drain(edge: Edge, flags: DrainFlags, directory: string | undefined): Promise<number> {
  return shipOnce(edge, flags, {
    directory,
    givesUpAbsent: true,
    timeoutMs: flags.timeoutMs,
    prepare: ({ observer }) => observer.early.order(flags.final ? 'interrupted' : 'stalled', 'drain', 0),
    isDone: (agent) => hasLooked(agent) && agent.uploader.isIdle,
  });
}

/** `trainlogd backfill`: the same for the sessions that `watch.ignoreOlderThan` left alone, and no open one. */
export function backfill(edge: Edge, flags: GlobalFlags, directory: string | undefined): Promise<number> {
  return shipOnce(edge, flags, {
    directory,
    ignoresOpen: true,
    prepare: ({ observer }, { config }) => {
      const quietForMs = Math.min(config.watch.ignoreOlderThanMs, config.watch.idleMs);
      observer.early.order('stalled', 'backfill', quietForMs);
    },
    isDone: (agent) => hasLooked(agent) && agent.uploader.isShipped,
  });
}

/** Takes old sessions too, and ends with a sentence; a folder that is not there is a mistake, not an empty one. */
async function shipOnce(edge: Edge, flags: GlobalFlags, options: ShipOptions): Promise<number> {
  let isMissing = false;
  let summary = '';
  const code = await ship(edge, flags, {
    ...options,
    takeAll: true,
    includeSkipped: true,
    progress: new Progress(edge),
    onEnd: (agent) => {
      isMissing = hasLooked(agent) && agent.watcher.folderState?.state !== 'present';
      const { shipped } = agent.journal.backlogCounts(agent.folder);
      summary = `${counted(shipped, 'session')} of ${agent.folder} in ${agent.destination}`;
    },
  });
  if (isMissing) {
    edge.stderr(
      `trainlogd: the folder to ship is not there, or not readable: name it, or correct watch.directory\n`,
    );
    return exitCode.configuration;
  }
  if (edge.stderrIsTerminal)
    edge.stderr(`${summary}, ${code === exitCode.ok ? 'nothing is left' : 'see above for the rest'}\n`);
  return code;
}
