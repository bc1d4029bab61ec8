import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface OutputPipe {
  /** Of the process that writes: the caller closes it once that one has it. */
  readonly writeFd: number;
  readonly reader: Socket;
}

/**
 * Real pipes. What Node makes for `stdio: 'pipe'` are sockets, and /dev/stdout and /dev/stderr cannot be opened on a
 * socket: `echo x > /dev/stderr` would fail in scripts that worked. Undefined where the system has no `mkfifo`, or
 * nowhere to put one.
 */
export function openPipes(): readonly [OutputPipe, OutputPipe] | undefined {
  let directory: string | undefined;
  try {
    directory = mkdtempSync(join(tmpdir(), 'trainlogd-'));
    const paths = [join(directory, 'stdout'), join(directory, 'stderr')] as const;
    if (spawnSync('mkfifo', ['-m', '600', ...paths], { stdio: 'ignore' }).status !== 0) return undefined;
    return [openPipe(paths[0]), openPipe(paths[1])];
  } catch {
    return undefined; // reason: sockets do for all that does not open /dev/stderr by its name
  } finally {
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function openPipe(path: string): OutputPipe {
  const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeFd = openSync(path, constants.O_WRONLY);
  return { writeFd, reader: new Socket({ fd: readFd, readable: true, writable: false }) };
}

export function closeWriters(pipes: readonly OutputPipe[]): void {
  for (const { writeFd } of pipes) closeSync(writeFd);
}
