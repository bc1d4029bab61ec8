import { EventEmitter } from 'node:events';
import { writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import type { WriteStream } from 'node:tty';
import { systemClock } from './adapters/system-time.ts';
import { type Edge, exitCode, type Terminal } from './commands/edge.ts';

/** The process edge: arguments, streams, signals, exit code. No other file touches `process`. */
nameProcess();
const stderrIsTerminal = process.stderr.isTTY === true;
// On a terminal SIGHUP says that the terminal is gone; elsewhere, by custom, that the configuration is to be read again.
// Before anybody listens it is still to be read for the first time, and whoever has none goes on.
if (!stderrIsTerminal) process.on('SIGHUP', () => undefined);
// Unheard, it would open a debugger's port, to anybody on this host, of a program that may read every user's files.
process.on('SIGUSR1', () => undefined);
const endSignals = ['SIGTERM', 'SIGINT', ...(stderrIsTerminal ? (['SIGHUP'] as const) : [])] as const;

const stdoutGone = new EventEmitter();
// A single file has program and options of Node within.
const self: readonly [string, ...string[]] = isSea()
  ? [process.execPath]
  : [process.execPath, ...process.execArgv, process.argv[1] ?? ''];

const edge: Edge = {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  isRoot: process.getuid?.() === 0,
  homeDirectory: homeOf(),
  stderrIsTerminal,
  ...(stderrIsTerminal && { stderrColumns: () => columnsOf(process.stderr) }),
  ...(process.stdout.isTTY && { terminal: terminalOf(process.stdout) }),
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  onStdoutGone: (listener) => {
    stdoutGone.on('gone', listener);
    return () => void stdoutGone.off('gone', listener);
  },
  onEndSignal: (listener) => {
    for (const signal of endSignals) process.on(signal, listener);
    return () => {
      for (const signal of endSignals) process.off(signal, listener);
    };
  },
  onReload: (listener) => {
    if (stderrIsTerminal) return () => undefined;
    process.on('SIGHUP', listener);
    return () => void process.off('SIGHUP', listener);
  },
  own: {
    self,
    leave,
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => void process.off(signal, listener);
    },
    pid: process.pid,
    dieBy: (signal) => {
      // Node ignores some signals; one that was listened to has its default again.
      if (signal !== 'SIGKILL' && signal !== 'SIGSTOP') process.once(signal, () => undefined);
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    },
    onInput: (listener) => {
      const lines = createInterface({ input: process.stdin });
      lines.on('line', listener);
      lines.once('close', () => listener(undefined));
      process.stdin.on('error', () => lines.close());
      return () => void process.stdin.destroy();
    },
  },
};

// The AWS SDK looks below the home directory before it sends anything, and crashes where a system user has none.
if (edge.homeDirectory === undefined) process.env['HOME'] = '/nonexistent';

// A reader that went away (`trainlogd status | head`), or a terminal (EIO), is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  stdoutGone.emit('gone');
});
// A full disk behind the log costs lines of it, and no upload.
process.stderr.on('error', () => undefined);

process.on('uncaughtException', (error) => {
  edge.stderr(
    `trainlogd: this is a bug, please report it; what is unsent goes on at the next start\n${error.stack}\n`,
  );
  process.exit(exitCode.bug);
});

// Loading the program takes a good part of a second, in which an unheard SIGHUP would end the process.
const { main } = await import('./commands/cli.ts');
const code = await main(process.argv.slice(2), edge);
process.exitCode = code;
await leaveIfHung(code);

/** All is done, and what keeps the process may be a call that the system does not answer. */
async function leaveIfHung(code: number): Promise<void> {
  const isCalling = () => process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'));
  for (let asks = 0; isCalling(); asks++) {
    if (asks === 20) return leave(code);
    await systemClock.sleep(100);
  }
}

/**
 * Node waits for its threads, and one in a call to a mount whose server is gone never comes. A program that takes the
 * place of this one is rid of them, and ends with the code.
 */
function leave(code: number): void {
  // Of Node's that this is an experiment.
  process.removeAllListeners('warning');
  process.execve?.(self[0], [...self, 'end', String(code)], process.env);
}

function terminalOf(stream: WriteStream): Terminal {
  return {
    size: () => ({ columns: columnsOf(stream), rows: stream.rows || 24 }),
    onChange: (listener) => {
      stream.on('resize', listener);
      process.on('SIGCONT', listener);
      return () => {
        stream.off('resize', listener);
        process.off('SIGCONT', listener);
      };
    },
    onExit: (listener) => {
      process.on('exit', listener);
      return () => void process.off('exit', listener);
    },
  };
}

/** A terminal behind a serial line or in a container may not know its size. */
function columnsOf(stream: WriteStream): number {
  return stream.columns || 80;
}

/**
 * Node names its main thread `node-MainThread`, and by that pgrep, top and killall would know us. process.title would
 * write over the arguments, which ps shows.
 */
function nameProcess(): void {
  try {
    writeFileSync('/proc/self/comm', 'trainlogd');
  } catch {
    // reason: where there is no such file, nobody looks there
  }
}

function homeOf(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined; // reason: then state.directory must be named, and the configuration says so
  }
}
