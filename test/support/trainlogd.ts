import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventMap, EventName } from '../../src/ports/events.ts';
import type { Status } from '../../src/ports/status.ts';
import { eventually } from './eventually.ts';
import { compiledCode, trainlogdProgram } from './program.ts';
import type { TestBucket } from './s3-bucket.ts';

/** How much of each program's log a failed test shows. */
const linesShownMax = 40;

/** Tests that run at the same time have hooks of their own; the global ones would not know whose they are. */
export interface Cleanup {
  onTestFinished(work: () => void | Promise<void>): void;
  onTestFailed(work: () => void | Promise<void>): void;
}
export type Variables = Readonly<Record<string, string>>;

/** A host: a watched folder, a state directory, and the environment that names both and a destination. */
export interface Host {
  readonly base: string;
  readonly folder: string;
  readonly state: string;
  readonly env: Variables;
  /** What is run in place of the program, with the same arguments. */
  readonly command?: readonly [string, ...string[]];
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type LoggedEvent<Name extends EventName = EventName> = EventMap[Name] & {
  readonly event: Name;
  readonly message: string;
  readonly level: string;
};

export interface Trainlogd {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  stderr(): string;
  events<Name extends EventName>(name: Name): LoggedEvent<Name>[];
  /** Waits for one that fulfils `is`; fails at once when the program ends without it. */
  event<Name extends EventName>(
    name: Name,
    is?: (event: LoggedEvent<Name>) => boolean,
    timeoutMs?: number,
  ): Promise<LoggedEvent<Name>>;
  signal(signal: NodeJS.Signals): void;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Gone after the test. The variables are the only configuration; of this machine's environment only where programs are. */
export async function makeHost(
  context: Cleanup,
  destination: Variables,
  more: Variables = {},
): Promise<Host> {
  const base = await realpath(await mkdtemp(join(tmpdir(), 'trainlogd-e2e-')));
  context.onTestFinished(() => rm(base, { recursive: true, force: true }));
  const folder = join(base, 'training-output');
  const state = join(base, 'state');
  await mkdir(folder);
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...compiledCode,
    HOME: base,
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_STATE_DIRECTORY: state,
    TRAINLOGD_LOG_FORMAT: 'json',
    TRAINLOGD_HTTP_LISTEN: 'off',
    ...destination,
    ...more,
  };
  return { base, folder, state, env };
}

/** The guide's names, with the restricted user's keys. */
export function toBucket({ bucket, endpoint, region, uploader }: TestBucket): Variables {
  return {
    S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: uploader.accessKeyId,
    AWS_SECRET_ACCESS_KEY: uploader.secretAccessKey,
  };
}

export function toDirectory(path: string): Variables {
  return { TRAINLOGD_DESTINATION_URL: `file://${path}` };
}

/** The real program as a child; killed at the end of the test should it still run. */
export function start(
  context: Cleanup,
  host: Host,
  args: readonly string[] = ['run'],
  more: Variables = {},
): Trainlogd {
  const env = { ...host.env, ...more };
  const [command, ...before] = host.command ?? trainlogdProgram;
  const child = spawn(command, [...before, ...args], { cwd: host.base, env });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
    });
  }
  let ended: Ended | undefined;
  const end = endOf(child, output).then((result) => {
    ended = result;
    return result;
  });
  context.onTestFinished(async () => {
    if (!ended) child.kill('SIGKILL');
    await end;
  });
  context.onTestFailed(() => {
    const lines = output.stderr.trim().split('\n').slice(-linesShownMax);
    process.stderr.write(
      `\ntrainlogd ${args.join(' ')}, process ${child.pid}, said last:\n${lines.join('\n')}\n`,
    );
  });
  const events = <Name extends EventName>(name: Name) => eventsIn(output.stderr, name);
  const signal = (name: NodeJS.Signals) => void child.kill(name);
  return {
    pid: child.pid ?? 0,
    ended: end,
    stderr: () => output.stderr,
    events,
    event: (name, is = () => true, timeoutMs = 20_000) =>
      eventually(
        () => {
          const found = events(name).find(is);
          if (!found && ended) return new Error(`it ended without ${name}: ${ended.stderr.slice(-2000)}`);
          return found;
        },
        { timeoutMs },
      ).then((found) => {
        if (found instanceof Error) throw found;
        return found;
      }),
    signal,
    stop: (name = 'SIGTERM') => {
      signal(name);
      return end;
    },
  };
}

/** Runs a command to its end. */
export function run(
  context: Cleanup,
  host: Host,
  args: readonly string[],
  more: Variables = {},
): Promise<Ended> {
  return start(context, host, args, more).ended;
}

export async function statusOf(context: Cleanup, host: Host): Promise<Status> {
  const { code, stdout, stderr } = await run(context, host, ['status', '--json']);
  if (code !== 0) throw new Error(`trainlogd status exits ${code}: ${stderr}`);
  return JSON.parse(stdout) as Status;
}

/** What a person is told of each thing that is not in the bucket. */
export function unsentLines({ stderr }: Pick<Ended, 'stderr'>): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('unsent: '));
}

export function eventsIn<Name extends EventName>(stderr: string, name: Name): LoggedEvent<Name>[] {
  const mark = `"event":"${name}"`;
  return stderr
    .slice(0, stderr.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes(mark))
    .map((line) => JSON.parse(line) as LoggedEvent<Name>);
}

function endOf(child: ChildProcess, output: { stdout: string; stderr: string }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}
