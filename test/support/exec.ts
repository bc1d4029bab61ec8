import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { trainlogdProgram } from './program.ts';
import type { Cleanup, Host, Variables } from './trainlogd.ts';

export interface ExecEnded {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunningExec {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly ended: Promise<ExecEnded>;
  stdout(): string;
  stderr(): string;
  /** Waits until its standard output matches. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** To every process of the group that it and its command are in. */
  signalGroup(signal: NodeJS.Signals): void;
}

/** `trainlogd exec` as the leader of a process group of its own; the group is killed at the end of the test. */
export function startExec(
  context: Cleanup,
  host: Host,
  args: readonly string[],
  more: Variables = {},
): RunningExec {
  return startProgram(context, host, [...trainlogdProgram, 'exec', ...args], more);
}

/** The same below another program: a terminal, nohup. */
export function startProgram(
  context: Cleanup,
  host: Host,
  [command = '', ...args]: readonly string[],
  more: Variables = {},
): RunningExec {
  const env = { ...host.env, ...more };
  const child = spawn(command, args, { cwd: host.base, env, detached: true, stdio: 'pipe' });
  const pid = child.pid ?? 0;
  const output: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => output[stream].push(chunk));
  child.stdin.on('error', () => undefined);
  const textOf = (stream: 'stdout' | 'stderr') => Buffer.concat(output[stream]).toString();
  const ended = new Promise<ExecEnded>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      resolve({ code, signal, stdout: Buffer.concat(output.stdout), stderr: textOf('stderr') }),
    );
  });
  const signalGroup = (signal: NodeJS.Signals) => void process.kill(-pid, signal);
  context.onTestFinished(() => {
    try {
      signalGroup('SIGKILL');
    } catch {
      // reason: all of it has ended
    }
  });
  context.onTestFailed(() => {
    process.stderr.write(`\n${args.join(' ')} said:\n${textOf('stdout')}\n${textOf('stderr')}\n`);
  });
  return {
    child,
    pid,
    ended,
    stdout: () => textOf('stdout'),
    stderr: () => textOf('stderr'),
    said: (pattern) => eventually(() => pattern.exec(textOf('stdout')) ?? undefined, { timeoutMs: 20_000 }),
    signalGroup,
  };
}

/** Runs a command as a session to its end. */
export function runExec(
  context: Cleanup,
  host: Host,
  args: readonly string[],
  more: Variables = {},
): Promise<ExecEnded> {
  const running = startExec(context, host, args, more);
  running.child.stdin?.end();
  return running.ended;
}

/** The one directory straight in the watched folder. */
export function sessionDirectory({ folder }: Host): string {
  const [name, ...others] = readdirSync(folder);
  if (name === undefined || others.length > 0)
    throw new Error(`expected one session, found ${others.length + 1}`);
  return join(folder, name);
}

export function readJson(...path: string[]): Record<string, unknown> {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;
}

export function readText(...path: string[]): string {
  return readFileSync(join(...path), 'utf8');
}

/** A command of bash. */
export function bash(script: string): readonly string[] {
  return ['--', 'bash', '-c', script];
}
