import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CaptureLog } from '../adapters/capture-log.ts';
import { errnoOf } from '../adapters/errno.ts';
import { closeWriters, type OutputPipe, openPipes } from '../adapters/output-pipes.ts';
import { PassThrough } from '../adapters/pass-through.ts';
import { PeakMemory } from '../adapters/peak-memory.ts';
import { systemClock } from '../adapters/system-time.ts';
import { errorLines } from '../exec/error-lines.ts';
import { type CommandEnd, type Run, statusOf } from '../exec/outcome.ts';
import { OutputTail } from '../exec/output-tail.ts';
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
  const child = start(options, pipes);
  if (pipes) closeWriters(pipes);
  const ending = endOf(child, options.command[0] ?? '');
  const outputs = outputsOf(options, child, pipes);
  const over = new AbortController();
  const memory = child.pid === undefined ? undefined : new PeakMemory(child.pid, systemClock);
  const measuring = memory?.run(over.signal);
  relay.attach(child);
  if (child.pid !== undefined) await options.onStarted(child.pid);
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

function start(options: RunCommandOptions, pipes: readonly OutputPipe[] | undefined): ChildProcess {
  const { command, ignoresHangup, logs, env, cwd } = options;
  const output: SpawnOptions['stdio'] =
    logs === undefined
      ? 'inherit'
      : ['inherit', ...(pipes?.map(({ writeFd }) => writeFd) ?? (['pipe', 'pipe'] as const))];
  // Node resets what a process ignores in each that it starts; a shell in between does not.
  const [file = '', ...args] = ignoresHangup
    ? ['/bin/sh', '-c', `trap '' HUP; exec "$@"`, 'sh', ...command]
    : command;
  return spawn(file, args, { cwd, env: { ...env }, stdio: output });
}

function outputsOf(
  { logs, say }: RunCommandOptions,
  child: ChildProcess,
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
    ...output(pipes?.[0].reader ?? child.stdout, 1, logs.stdout),
    ...output(pipes?.[1].reader ?? child.stderr, 2, logs.stderr),
  ];
}

/** Codes as shells give them: 127 for what is not there, 126 for what cannot be run. */
function endOf(child: ChildProcess, name: string): Promise<CommandEnd> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      // A signal that could not be sent (sudo's process is another user's) is no end.
      if (child.pid !== undefined) return;
      const code = errnoOf(error);
      const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
      const cause = `starting ${JSON.stringify(name)}: ${isAbsent ? `it is not there (${code})` : code}`;
      resolve({ code: isAbsent ? 127 : 126, cause });
    });
    child.once('exit', (code, signal) => resolve(signal ? { signal } : { code: code ?? 0 }));
  });
}
