import { type ChildProcess, spawn } from 'node:child_process';
import type { Supervisor, SupervisorMessage } from '../ports/supervisor.ts';
import { errnoOf } from './errno.ts';

export interface SystemdNotifyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** The program of that name; tests have their own. */
  readonly program?: string;
  readonly onProblem: (problem: string) => void;
}

/** A call takes some ten milliseconds; one that hangs must not be the last. */
const callMsMax = 10_000;

/**
 * sd_notify(3) by the program of systemd(1) that speaks it, since Node has no datagram sockets of the kind. The unit
 * needs `NotifyAccess=all`. Undefined where nobody listens: no service of systemd, or one of another type.
 */
export function createSystemdNotify(options: SystemdNotifyOptions): Supervisor | undefined {
  const socket = options.env['NOTIFY_SOCKET'];
  return socket ? new SystemdNotify(socket, options) : undefined;
}

class SystemdNotify implements Supervisor {
  readonly watchdogMs: number | undefined;
  readonly #options: SystemdNotifyOptions;
  readonly #socket: string;
  /** One call at a time, so that messages arrive in their order; what is told meanwhile is joined to one. */
  #waiting: SupervisorMessage | undefined;
  #calling: Promise<void> | undefined;
  #hasComplained = false;

  constructor(socket: string, options: SystemdNotifyOptions) {
    this.#socket = socket;
    this.#options = options;
    this.watchdogMs = watchdogMs(options);
  }

  tell(message: SupervisorMessage): void {
    // A reload that is over before it could be told was none.
    this.#waiting = { ...this.#waiting, ...message };
    this.#calling ??= this.#deliver();
  }

  async flushed(): Promise<void> {
    await this.#calling;
  }

  async #deliver(): Promise<void> {
    while (this.#waiting) {
      const words = wordsOf(this.#waiting);
      this.#waiting = undefined;
      const problem = await this.#call(words);
      if (problem !== undefined && !this.#hasComplained) {
        this.#hasComplained = true;
        this.#options.onProblem(
          `telling systemd "${words.join(' ')}" by systemd-notify failed: ${problem}; install the package systemd, and let the unit have NotifyAccess=all and RestrictAddressFamilies=AF_UNIX beside others`,
        );
      }
    }
    this.#calling = undefined;
  }

  #call(words: readonly string[]): Promise<string | undefined> {
    const { env, program = 'systemd-notify' } = this.#options;
    return new Promise((resolve) => {
      let child: ChildProcess;
      try {
        const own = { PATH: env['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: this.#socket, LC_ALL: 'C.UTF-8' };
        child = spawn(program, words, {
          env: own,
          stdio: 'ignore',
          timeout: callMsMax,
          killSignal: 'SIGKILL',
        });
      } catch (error) {
        return resolve(errnoOf(error)); // reason: no memory for a process now; the next sign of life tells anew
      }
      child.once('error', (error) => resolve(errnoOf(error)));
      child.once('close', (code, signal) => {
        resolve(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`);
      });
    });
  }
}

function wordsOf({
  ready,
  reloading,
  stopping,
  alive,
  extendTimeoutMs,
  status,
}: SupervisorMessage): string[] {
  return [
    ...(reloading && !ready ? ['RELOADING=1'] : []),
    ...(ready ? ['READY=1'] : []),
    ...(stopping ? ['STOPPING=1'] : []),
    ...(alive ? ['WATCHDOG=1'] : []),
    ...(extendTimeoutMs === undefined ? [] : [`EXTEND_TIMEOUT_USEC=${Math.round(extendTimeoutMs * 1000)}`]),
    ...(status === undefined ? [] : [`STATUS=${status}`]),
  ];
}

/** As sd_watchdog_enabled(3): it may be meant for another process of the service. */
function watchdogMs({ env, pid }: SystemdNotifyOptions): number | undefined {
  const { WATCHDOG_USEC: text = '', WATCHDOG_PID: of } = env;
  if (of !== undefined && of !== String(pid)) return undefined;
  return /^[1-9]\d{0,17}$/.test(text) ? Number(text) / 1000 : undefined;
}
