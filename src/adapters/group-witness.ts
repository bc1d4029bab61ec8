import { type ChildProcess, spawn } from 'node:child_process';
import type { Clock } from '../ports/clock.ts';

/** Whoever signals processes one after the other is given this long to come around. */
const graceMs = 30;
const answerTimeoutMs = 1000;
/** A signal to the group reaches its members at the same time; this is how far apart we may learn of it. */
const togetherMs = 500;

/** Says each signal that it gets, and each word that it is given. POSIX; `read` ends when a signal comes (dash, bash). */
const script = `
for signal in INT TERM HUP QUIT USR1 USR2; do trap "echo $signal; got=1" $signal; done
while :; do
  got=
  if read -r word; then echo "$word"; elif [ -z "$got" ]; then exit 0; fi
done`;

/**
 * A shell in our process group that does nothing but say which signals it gets. Whether a signal came to the group
 * (a terminal, `kill -- -PGID`, a scheduler) or to this process alone is in siginfo, which Node does not show; a
 * signal that the witness got too was for all.
 */
export class GroupWitness {
  readonly #clock: Clock;
  #shell: ChildProcess | undefined;
  #words = 0;
  readonly #seenAtMs = new Map<string, number>();
  readonly #waiting = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start();
  }

  /** Without one, nobody can say: that is known by asking. */
  #start(): void {
    try {
      this.#begin();
    } catch {
      this.#shell = undefined; // reason: the system has no room for another process
    }
  }

  #begin(): void {
    const shell = spawn('/bin/sh', ['-c', script], { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#shell = shell;
    let line = '';
    shell.stdout.setEncoding('latin1').on('data', (text: string) => {
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      for (const word of lines) this.#hear(word);
    });
    for (const emitter of [shell, shell.stdin, shell.stdout]) emitter.on('error', () => this.#lose(shell));
    shell.on('exit', (_, signal) => {
      // Before its traps were set, a signal ended it: that says as much.
      if (signal) this.#hear(signal.slice(3));
      this.#lose(shell);
    });
    shell.unref();
    for (const stream of [shell.stdin, shell.stdout]) (stream as { unref?: () => void }).unref?.();
  }

  #hear(word: string): void {
    const answered = this.#waiting.get(word);
    if (answered) answered();
    else this.#seenAtMs.set(`SIG${word}`, this.#clock.monotonicMs());
  }

  #lose(shell: ChildProcess): void {
    if (this.#shell !== shell) return;
    this.#shell = undefined;
    for (const answered of this.#waiting.values()) answered();
  }

  /** Whether a signal that this process just got went to the whole group. Undefined: there is no witness. */
  async saw(signal: string): Promise<boolean | undefined> {
    const gotAtMs = this.#clock.monotonicMs();
    const isSeen = () => (this.#seenAtMs.get(signal) ?? Number.NEGATIVE_INFINITY) >= gotAtMs - togetherMs;
    await this.#clock.sleep(graceMs);
    if (isSeen()) return true;
    // A signal that is pending is delivered before what comes later is read.
    const isThere = await this.#ask();
    if (isSeen()) return true;
    if (!this.#shell) this.#start();
    return isThere ? false : undefined;
  }

  async #ask(): Promise<boolean> {
    const shell = this.#shell;
    if (!shell?.stdin) return false;
    this.#words += 1;
    const word = `ask${this.#words}`;
    const timer = new AbortController();
    let isAnswered = false;
    this.#waiting.set(word, () => {
      isAnswered = this.#shell === shell;
      timer.abort();
    });
    shell.stdin.write(`${word}\n`);
    await this.#clock.sleep(answerTimeoutMs, timer.signal);
    this.#waiting.delete(word);
    return isAnswered;
  }

  end(): void {
    const shell = this.#shell;
    this.#shell = undefined;
    shell?.stdin?.end();
  }
}
