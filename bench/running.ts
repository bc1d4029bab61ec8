import type { ChildProcess } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import type { Bench } from './bench.ts';
import { cpuSecondsOf, exitOf, start } from './child.ts';
import { sinkKeys, trainlogdCommand } from './peers.ts';
import type { Sink } from './sink-process.ts';

/** `trainlogd run` until it is told to stop. */
export interface Running {
  readonly pid: number;
  /** When it was started, of `performance.now()`. */
  readonly startedMs: number;
  /** The end of what it said on stderr. */
  said(): string;
  stop(): Promise<void>;
}

export function startRunning(
  bench: Bench,
  sink: Sink,
  folder: string,
  more: Record<string, string> = {},
): Running {
  const to = { ...sinkKeys, endpoint: sink.endpoint, authorityFile: sink.certificate?.authorityFile };
  const env = {
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_STATE_DIRECTORY: more['TRAINLOGD_STATE_DIRECTORY'] ?? bench.directory('state'),
    ...more,
  };
  const command = trainlogdCommand(bench, to, env, ['run']);
  const startedMs = performance.now();
  const child = start(command);
  child.stdout?.resume();
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said = `${said}${text.toString()}`.slice(-2000);
  });
  return { pid: child.pid ?? 0, startedMs, said: () => said, stop: () => stop(child, () => said) };
}

async function stop(child: ChildProcess, said: () => string): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`trainlogd has ended by itself: ${said()}`);
  const ended = exitOf(child);
  child.kill('SIGTERM');
  child.kill('SIGTERM');
  await ended;
}

/** Until it does next to nothing for `calmMs`. */
export async function untilCalm(pid: number, calmMs: number, longestMs: number): Promise<void> {
  const deadlineMs = performance.now() + longestMs;
  for (;;) {
    const before = cpuSecondsOf(pid);
    await setTimeout(calmMs);
    if (cpuSecondsOf(pid) - before < (calmMs / 1000) * 0.02) return;
    if (performance.now() > deadlineMs)
      throw new Error(`process ${pid} was still busy after ${longestMs} ms`);
  }
}

export async function until<T>(
  running: Running,
  what: string,
  ask: () => Promise<T | undefined>,
  longestMs: number,
  everyMs = 2,
): Promise<T> {
  const deadlineMs = performance.now() + longestMs;
  for (;;) {
    const found = await ask();
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs)
      throw new Error(`waiting for ${what}: not within ${longestMs} ms: ${running.said()}`);
    await setTimeout(everyMs);
  }
}
