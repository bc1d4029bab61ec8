import { type ChildProcess, spawn } from 'node:child_process';
import { errnoOf } from './errno.ts';

/** A call takes some ten milliseconds; one that hangs must not be the last. */
const callMsMax = 10_000;

export interface NotifyProgram {
  /** `systemd-notify`; tests have their own. */
  readonly program: string;
  readonly path: string | undefined;
}

/** One message of sd_notify(3) by the program of systemd(1) that speaks it. Resolves with what went wrong. */
export function callNotifyProgram(
  { program, path = '/usr/bin:/bin' }: NotifyProgram,
  address: string,
  words: readonly string[],
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      const env = { PATH: path, NOTIFY_SOCKET: address, LC_ALL: 'C.UTF-8' };
      child = spawn(program, words, { env, stdio: 'ignore', timeout: callMsMax, killSignal: 'SIGKILL' });
    } catch (error) {
      return resolve(errnoOf(error)); // reason: no memory for a process now; the next sign of life tells anew
    }
    child.once('error', (error) => resolve(errnoOf(error)));
    child.once('close', (code, signal) => {
      resolve(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}
