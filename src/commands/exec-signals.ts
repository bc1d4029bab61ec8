import type { ChildProcess } from 'node:child_process';
import type { GroupWitness } from '../adapters/group-witness.ts';
import type { OwnProcess } from './edge.ts';

/** Those that people, terminals and schedulers send. What is left out (SIGTSTP, SIGCONT, SIGWINCH) does what it always does. */
const relayed = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
const askToEnd: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];
/** What only a terminal sends, to all of its foreground group, as long as nobody can say otherwise. */
const ofTerminals: readonly string[] = ['SIGINT', 'SIGQUIT'];

export interface RelayOptions {
  readonly own: OwnProcess;
  readonly witness: Pick<GroupWitness, 'saw'>;
  /** Under nohup a hangup is nobody's business. */
  readonly ignoresHangup: boolean;
}

/**
 * Signals on their way to a command in our own process group. One that went to the whole group is the command's
 * already; one that came to us alone is passed on. Before the command is there all are kept for it, and after its end
 * they are told to whoever listens.
 */
export class SignalRelay {
  readonly #options: RelayOptions;
  readonly #stops: (() => void)[];
  readonly #early: NodeJS.Signals[] = [];
  #child: ChildProcess | undefined;
  #onLate: (() => void) | undefined;
  #lateRequests = 0;
  #isOver = false;
  /** A signal that asks to end came before the command had ended. */
  wasAsked = false;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#stops = relayed.map((signal) => options.own.onSignal(signal, () => void this.#take(signal)));
  }

  /** The command is there. */
  attach(child: ChildProcess): void {
    this.#child = child;
    for (const signal of this.#early.splice(0)) child.kill(signal);
  }

  /** The command is gone. */
  detach(): void {
    this.#isOver = true;
    this.#child = undefined;
  }

  /** From now on a signal that asks to end is about what is still to be done after the command. */
  onLate(listener: () => void): void {
    this.#onLate = listener;
    for (; this.#lateRequests > 0; this.#lateRequests--) listener();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  async #take(signal: NodeJS.Signals): Promise<void> {
    if (signal === 'SIGHUP' && this.#options.ignoresHangup) return;
    const isRequest = askToEnd.includes(signal);
    if (this.#isOver) {
      if (isRequest && this.#onLate) this.#onLate();
      else if (isRequest) this.#lateRequests += 1;
      return;
    }
    if (isRequest) this.wasAsked = true;
    const child = this.#child;
    if (!child) {
      this.#early.push(signal);
      return;
    }
    const wentToAll = (await this.#options.witness.saw(signal)) ?? ofTerminals.includes(signal);
    if (!wentToAll) child.kill(signal);
  }
}
