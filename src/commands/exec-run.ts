import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CaptureLog } from '../adapters/capture-log.ts';
import { errnoOf } from '../adapters/errno.ts';
import { isCommandThere } from '../adapters/executable.ts';
import { closeWriters, type OutputPipe, openPipes } from '../adapters/output-pipes.ts';
import { PassThrough } from '../adapters/pass-through.ts';
import { PeakMemory } from '../adapters/peak-memory.ts';
import { systemClock } from '../adapters/system-time.ts';
import { errorLines } from '../exec/error-lines.ts';
import { type CommandEnd, type Run, statusOf } from '../exec/outcome.ts';
import { OutputTail } from '../exec/output-tail.ts';
import { startFailure } from '../exec/start-failure.ts';
import type { SignalRelay } from './exec-signals.ts';

export interface RunCommandOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The command is to ignore SIGHUP. */
  readonly ignoresHangup: boolean;
  /** Undefined: the command has our own output. */
  readonly logs: { readonly stdout: CaptureLog; readonly stderr: CaptureLog } | undefined;
  readonly relay: SignalRelay;
  readonly onStarted: (pid: number) => Promise<void>;
  readonly say: (text: string) => void;
}

const tailBytesMax = 64 * 1024;

/** Runs a command in our process group and session, with our standard input, from its start to its last output. */
export async function runCommand(options: RunCommandOptions): Promise<Omit<Run, 'lostBytes'>> {
  const { relay, logs } = options;
  const startedAtMs = systemClock.nowMs();
  const startedMs = systemClock.monotonicMs();
  const pipes = logs && openPipes();
  const started = start(options, pipes);
  if (pipes) closeWriters(pipes);
  const child = 'end' in started ? undefined : started.child;
  const ending = 'end' in started ? started.end : endOf(started.child, options);
  const outputs = outputsOf(options, child, pipes);
  const over = new AbortController();
  const memory = child?.pid === undefined ? undefined : new PeakMemory(child.pid, systemClock);
  const measuring = memory?.run(over.signal);
  if (child) relay.attach(child);
  if (child?.pid !== undefined) await options.onStarted(child.pid);
  const end = await ending;
  relay.detach();
  const endedAtMs = systemClock.nowMs();
  const durationMs = systemClock.monotonicMs() - startedMs;
  over.abort();
  const { wasAsked } = relay;
  const isClosed = await Promise.all(outputs.map(({ through }) => through.endSoon()));
  if (isClosed.includes(false))
    options.say('the command has ended, what it started still writes: that output is not kept');
  await measuring;
  const [stdout = '', stderr = ''] = outputs.map(({ tail }) => tail.text());
  return {
    end,
    wasAsked,
    startedAtMs,
    endedAtMs,
    durationMs,
    residentBytesMax: memory?.bytesMax,
    lines: statusOf({ end, wasAsked }) === 'failed' ? errorLines(stderr, stdout) : [],
  };
}

/** Of some failures Node tells by an event, others it throws. */
function start(
  options: RunCommandOptions,
  pipes: readonly OutputPipe[] | undefined,
): { readonly child: ChildProcess } | { readonly end: CommandEnd } {
  const { command, ignoresHangup, logs, env, cwd } = options;
  const output: SpawnOptions['stdio'] =
    logs === undefined
      ? 'inherit'
      : ['inherit', ...(pipes?.map(({ writeFd }) => writeFd) ?? (['pipe', 'pipe'] as const))];
  // Node resets what a process ignores in each that it starts; a shell in between does not.
  const [file = '', ...args] = ignoresHangup
    ? ['/bin/sh', '-c', `trap '' HUP; exec "$@"`, 'sh', ...command]
    : command;
  try {
    return { child: spawn(file, args, { cwd, env: { ...env }, stdio: output }) };
  } catch (error) {
    return { end: failure(error, options) };
  }
}

function failure(error: unknown, { command, cwd, env }: RunCommandOptions): CommandEnd {
  const name = command[0] ?? '';
  return startFailure(name, errnoOf(error), isCommandThere(name, cwd, env['PATH']));
}

function outputsOf(
  { logs, say }: RunCommandOptions,
  child: ChildProcess | undefined,
  pipes: readonly [OutputPipe, OutputPipe] | undefined,
): { through: PassThrough; tail: OutputTail }[] {
  if (!logs) return [];
  const output = (source: Readable | null | undefined, fd: number, log: CaptureLog) => {
    if (!source) return [];
    const tail = new OutputTail(tailBytesMax);
    const onChunk = (chunk: Buffer) => {
      tail.push(chunk);
      log.push(chunk);
    };
    const onProblem = (code: string) => {
      say(`descriptor ${fd} takes no more output (${code}); the command goes on`);
    };
    return [{ through: new PassThrough({ source, fd, clock: systemClock, onChunk, onProblem }), tail }];
  };
  return [
    ...output(pipes?.[0].reader ?? child?.stdout, 1, logs.stdout),
    ...output(pipes?.[1].reader ?? child?.stderr, 2, logs.stderr),
  ];
}

function endOf(child: ChildProcess, options: RunCommandOptions): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // A signal that could not be sent (sudo's process is another user's) is no end.
      if (child.pid !== undefined) return;
      resolve(failure(error, options));
    });
    child.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }));
  });
}
