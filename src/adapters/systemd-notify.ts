import type { Supervisor, SupervisorMessage } from '../ports/supervisor.ts';
import { callNotifyProgram } from './notify-program.ts';
import { hasNotifySocket, sendNotification } from './notify-socket.ts';

export interface SystemdNotifyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** In place of systemd's own, and of the socket. */
  readonly program?: string;
  readonly onProblem: (problem: string) => void;
}

/**
 * sd_notify(3): by this process itself, where Node can; else by the program `systemd-notify`, for which the unit needs
 * `NotifyAccess=all`. Undefined where nobody listens: no service of systemd, or one of another type.
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
      const message = this.#waiting;
      this.#waiting = undefined;
      const words = wordsOf(message);
      const problem = await this.#call(words);
      if (problem === undefined) continue;
      if (!this.#hasComplained)
        this.#options.onProblem(`telling systemd ${JSON.stringify(words.join(' '))} ${problem}`);
      this.#hasComplained = true;
      this.#keep(message);
      break;
    }
    this.#calling = undefined;
  }

  /** Said again with the next sign of life: who waits for READY would wait for ever. */
  #keep(message: SupervisorMessage): void {
    this.#waiting = { ...message, ...this.#waiting };
  }

  async #call(words: readonly string[]): Promise<string | undefined> {
    const { env, program } = this.#options;
    const socket = this.#socket;
    if (program === undefined && hasNotifySocket) {
      const found = await sendNotification(socket, words.join('\n'));
      return (
        found &&
        `at ${JSON.stringify(socket)} failed: ${found}; the unit needs NotifyAccess=main and RestrictAddressFamilies=AF_UNIX beside others`
      );
    }
    const found = await callNotifyProgram(
      { program: program ?? 'systemd-notify', path: env['PATH'] },
      socket,
      words,
    );
    return (
      found &&
      `by systemd-notify failed: ${found}; install the package systemd, and let the unit have NotifyAccess=all and RestrictAddressFamilies=AF_UNIX beside others`
    );
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
