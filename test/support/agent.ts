import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { main } from '../../src/commands/cli.ts';
import type { Terminal } from '../../src/commands/edge.ts';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import { eventually } from './eventually.ts';
import { temporaryDirectory } from './temporary-directory.ts';
import type { Cleanup } from './trainlogd.ts';

export interface Place {
  readonly folder: string;
  readonly state: string;
  readonly destination: string;
  /** All that an agent needs to ship from `folder` to `destination`, in a hurry. */
  readonly env: Readonly<Record<string, string>>;
}

/** A watched folder, a state directory and a `file:` destination side by side; all go after the test. */
export async function makePlace(context?: Cleanup): Promise<Place> {
  const base = await temporaryDirectory(context);
  const folder = join(base, 'folder');
  const state = join(base, 'state');
  const destination = join(base, 'destination');
  await mkdir(folder);
  const env = {
    HOME: base,
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_STATE_DIRECTORY: state,
    TRAINLOGD_DESTINATION_URL: `file://${destination}`,
    TRAINLOGD_WATCH_SETTLE: '30ms',
    TRAINLOGD_WATCH_RESCAN: '200ms',
    TRAINLOGD_RETRY_BASE_DELAY: '20ms',
    TRAINLOGD_RETRY_MAX_DELAY: '100ms',
    TRAINLOGD_DRAIN_TIMEOUT: '1s',
    TRAINLOGD_LOG_FORMAT: 'json',
    TRAINLOGD_HTTP_LISTEN: 'off',
  };
  return { folder, state, destination, env };
}

/** One line that the agent wrote: its event's name and fields. */
export interface Told {
  readonly event?: string;
  readonly level?: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AgentRun {
  readonly ended: Promise<Ended>;
  stderr(): string;
  told(): Told[];
  stdout(): string;
  signal(name: string): void;
  /** Nobody reads its standard output any more. */
  stdoutGone(): void;
  /** The first line of this event, as soon as there is one. */
  until(event: string, matches?: (line: Told) => boolean): Promise<Told>;
}

export interface AgentOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string;
  /** Standard output is one. */
  readonly terminal?: Terminal;
}

/** Runs the program in this process, from its arguments to its exit code. */
export function startAgent(place: Place, args: readonly string[], options: AgentOptions = {}): AgentRun {
  const out = { stdout: '', stderr: '' };
  let heard: (signal: string) => void = () => undefined;
  let leftAlone: () => void = () => undefined;
  const edge = {
    env: { ...place.env, ...options.env },
    cwd: options.cwd ?? place.folder,
    pid: 4711,
    isRoot: false,
    homeDirectory: options.env?.['HOME'] ?? place.env['HOME'],
    stderrIsTerminal: false,
    ...(options.terminal && { terminal: options.terminal }),
    onStdoutGone: (listener: () => void) => {
      leftAlone = listener;
      return () => undefined;
    },
    stdout: (text: string) => {
      out.stdout += text;
    },
    stderr: (text: string) => {
      out.stderr += text;
    },
    onEndSignal: (listener: (signal: string) => void) => {
      heard = listener;
      return () => {
        heard = () => undefined;
      };
    },
    onReload: () => () => undefined,
  };
  const told = () => linesOf(out.stderr);
  return {
    ended: main(args, edge).then((exit) => ({ exit, ...out })),
    stderr: () => out.stderr,
    stdout: () => out.stdout,
    stdoutGone: () => leftAlone(),
    told,
    signal: (name) => heard(name),
    until: (event, matches = () => true) =>
      eventually(() => told().find((line) => line.event === event && matches(line))),
  };
}

export function runAgent(place: Place, args: readonly string[], options?: AgentOptions): Promise<Ended> {
  return startAgent(place, args, options).ended;
}

/** Lines of JSON as what they hold, others as their text. */
export function linesOf(stderr: string): Told[] {
  const lines = stderr.split('\n').filter((line) => line !== '');
  return lines.map((line) => (line.startsWith('{') ? (JSON.parse(line) as Told) : { message: line }));
}

/** Every session log in the destination, validated, by the name of its session. */
export function shippedLogs(place: Place): Map<string, SessionLog> {
  const logs = new Map<string, SessionLog>();
  for (const key of objectKeys(place)) {
    if (!/^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/.test(key)) continue;
    const log = sessionLogSchema.parse(JSON.parse(objectBytes(place, key).toString('utf8')));
    logs.set(log.session.name ?? log.session.id, log);
  }
  return logs;
}

export function objectKeys({ destination }: Place): string[] {
  if (!existsSync(destination)) return [];
  const entries = readdirSync(destination, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(destination, join(entry.parentPath, entry.name)))
    .filter((key) => !key.startsWith('.trainlogd/'))
    .sort();
}

export function objectBytes({ destination }: Place, key: string): Buffer {
  return readFileSync(join(destination, key));
}
