import { main } from './commands/cli.ts';
import { type Edge, exitCode } from './commands/edge.ts';

/** The process edge: arguments, streams, signals, exit code. No other file touches `process`. */
const endSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

const edge: Edge = {
  env: process.env,
  cwd: process.cwd(),
  pid: process.pid,
  isRoot: process.getuid?.() === 0,
  stderrIsTerminal: process.stderr.isTTY === true,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  onEndSignal: (listener) => {
    for (const signal of endSignals) process.on(signal, listener);
    return () => {
      for (const signal of endSignals) process.off(signal, listener);
    };
  },
};

// A reader that went away (`trainlogd status | head`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

process.on('uncaughtException', (error) => {
  edge.stderr(
    `trainlogd: this is a bug, please report it; what is unsent goes on at the next start\n${error.stack}\n`,
  );
  process.exit(exitCode.bug);
});

process.exitCode = await main(process.argv.slice(2), edge);
