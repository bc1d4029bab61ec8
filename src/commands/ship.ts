import { hostname } from 'node:os';
import { systemClock } from '../adapters/system-time.ts';
import { createWinstonEvents } from '../adapters/winston-events.ts';
import { type Agent, compose } from '../compose.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import { printDuration } from '../config/units.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { Events } from '../ports/events.ts';
import { type Edge, exitCode } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { oneLine } from './one-line.ts';
import type { Progress } from './progress.ts';
import { programVersion } from './version.ts';

/** What `run`, `drain` and `backfill` have in common: build the agent, run it, end it in order, say what is left. */
export interface ShipOptions {
  readonly directory: string | undefined;
  readonly overrides?: Record<string, unknown>;
  readonly includeSkipped?: boolean;
  /** Sessions that go on are none of its business. */
  readonly ignoresOpen?: boolean;
  /** Looks at old sessions too. */
  readonly takeAll?: boolean;
  /** There is no later: a session whose directory is gone is not waited for. */
  readonly givesUpAbsent?: boolean;
  /** Before anything runs. */
  readonly prepare?: (agent: Agent, loaded: LoadedConfig) => void;
  /** Asked all the time; true ends the run in order. Without it only a signal does. */
  readonly isDone?: (agent: Agent) => boolean;
  readonly onEnd?: (agent: Agent) => void;
  readonly timeoutMs?: number | undefined;
  /** Shown on a terminal, where it takes the place of the log lines of an undisturbed run. */
  readonly progress?: Progress;
}

const askEveryMs = 100;
/** A share of a time-out is kept for naming in the bucket what did not get there. */
const lastWordsShare = 0.1;
const lastWordsMaxMs = 5000;

export async function ship(edge: Edge, flags: GlobalFlags, options: ShipOptions): Promise<number> {
  const overrides = { ...options.overrides, 'watch.directory': options.directory };
  const loaded = loadConfig(loadInputs(edge, flags, overrides));
  const { config } = loaded;
  const events = createEvents(edge, loaded, options.progress);
  for (const problem of loaded.warnings) events.emit('config.warning', { problem });
  const version = programVersion();
  const agent = compose({
    config,
    events,
    host: hostname(),
    version,
    pid: edge.pid,
    startedAt: new Date(systemClock.nowMs()).toISOString(),
    ignoreOlderThanMs: options.takeAll ? Number.POSITIVE_INFINITY : config.watch.ignoreOlderThanMs,
    includeSkipped: options.includeSkipped ?? false,
    absenceMs: options.givesUpAbsent ? 0 : config.watch.idleMs,
  });
  try {
    options.prepare?.(agent, loaded);
    events.emit('journal.recovered', agent.journal.recover());
    const { folder, destination } = agent;
    events.emit('daemon.started', {
      folder,
      destination,
      state: config.state.directory,
      version,
      network: agent.watcher.folderState?.state === 'present' && agent.watcher.folderState.network,
    });
    await runUntilDone(edge, agent, events, options, config.drain.timeoutMs);
    options.progress?.end();
    options.onEnd?.(agent);
    return sayWhatIsLeft(edge, agent, events, options, config.watch.ignoreOlderThanMs);
  } finally {
    await agent.close();
    events.close();
  }
}

async function runUntilDone(
  edge: Edge,
  agent: Agent,
  events: Events,
  options: ShipOptions,
  drainTimeoutMs: number,
): Promise<void> {
  let signals = 0;
  const stopListening = edge.onEndSignal((signal) => {
    signals += 1;
    if (signals === 1) {
      events.emit('daemon.draining', { timeoutMs: drainTimeoutMs, signal });
      void agent.daemon.drain(drainTimeoutMs);
    } else {
      events.emit('daemon.forced', { signal });
      void agent.daemon.stop();
    }
  });
  const over = new AbortController();
  const watching = endWhenDone(agent, options, over.signal);
  try {
    await agent.daemon.run();
  } finally {
    over.abort();
    await watching;
    stopListening();
  }
}

async function endWhenDone(agent: Agent, options: ShipOptions, over: AbortSignal): Promise<void> {
  const { isDone, timeoutMs, progress } = options;
  const startedMs = systemClock.monotonicMs();
  const lastWordsMs = timeoutMs === undefined ? 0 : Math.min(timeoutMs * lastWordsShare, lastWordsMaxMs);
  while (!over.aborted && isDone) {
    const spentMs = systemClock.monotonicMs() - startedMs;
    progress?.show(agent);
    if (isDone(agent)) return agent.daemon.stop();
    if (timeoutMs !== undefined && spentMs >= timeoutMs - lastWordsMs) return agent.daemon.drain(lastWordsMs);
    await systemClock.sleep(askEveryMs, over);
  }
}

function createEvents(
  edge: Edge,
  { config, sources }: LoadedConfig,
  progress: Progress | undefined,
): ReturnType<typeof createWinstonEvents> {
  const { format } = config.log;
  const automatic = edge.stderrIsTerminal ? 'text' : 'json';
  const isShown = edge.stderrIsTerminal && progress !== undefined;
  const level = isShown && sources['log.level'].layer === 'default' ? 'warn' : config.log.level;
  const write = progress ? (text: string) => progress.say(text) : edge.stderr;
  return createWinstonEvents({ level, format: format === 'auto' ? automatic : format, write });
}

/** Every file that did not get there, by name; 75 when there is one. */
function sayWhatIsLeft(
  edge: Edge,
  agent: Agent,
  events: Events,
  options: ShipOptions,
  ignoreOlderThanMs: number,
): number {
  const { journal, tracker, folder } = agent;
  if (tracker.skipped > 0) {
    events.emit('session.skipped', { count: tracker.skipped, olderThan: printDuration(ignoreOlderThanMs) });
  }
  const backlog = journal.backlog(folder);
  const left = [
    ...backlog.unsent.map((item) => `${item.session}: ${item.path}: ${item.reason}`),
    ...backlog.parked.map(
      (item) => `${item.session}: ${item.path}: ${item.code}: ${item.cause}: ${item.remedy}`,
    ),
    ...openFiles(agent, options),
    ...tracker.notes
      .problems()
      .map(({ path, code, remedy }) => `${displayPath(path)}: not readable, ${code}: ${remedy}`),
  ];
  const code = left.length === 0 ? exitCode.ok : exitCode.unsent;
  for (const line of left) edge.stderr(`unsent: ${oneLine(line)}\n`);
  const { blocked } = agent.status();
  if (blocked && left.length > 0) {
    const { code: failure, cause, remedy } = blocked;
    edge.stderr(`why: ${agent.destination} is not usable, ${failure}: ${oneLine(cause)}: ${remedy}\n`);
  }
  events.emit('daemon.stopped', { unsent: left.length, exitCode: code });
  return code;
}

/** A session that goes on is not whole in the bucket, whatever of it is. */
function openFiles({ tracker }: Agent, options: ShipOptions): string[] {
  if (options.ignoresOpen) return [];
  return tracker.sessions.unfinished().flatMap((tracked) => {
    const name = tracked.root === '' ? '.' : displayPath(tracked.root);
    if (tracked.changing.length > 0) {
      return tracked.changing.map((path) => `${name}: ${displayPath(path)}: it is still being written`);
    }
    return tracked.entries.map((entry) => `${name}: ${displayPath(entry.path)}: its session goes on`);
  });
}
