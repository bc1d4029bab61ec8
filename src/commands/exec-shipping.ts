import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { askStatus } from '../adapters/ask-agent.ts';
import { errnoOf } from '../adapters/errno.ts';
import { systemClock } from '../adapters/system-time.ts';
import { hashFolder, isWithin } from '../config/paths.ts';
import { shippingEnvironment } from '../exec/command-environment.ts';
import { type Edge, exitCode, type OwnProcess } from './edge.ts';
import { heldCode, shippingMs, words } from './exec-words.ts';
import type { GlobalFlags } from './inputs.ts';

export interface ShippingOptions {
  readonly edge: Edge;
  readonly own: OwnProcess;
  readonly flags: GlobalFlags;
  /** Absolute and real. */
  readonly folder: string;
  /** The session's directory in it, relative; empty when it is the folder itself. */
  readonly root: string;
  readonly stateDirectory: string;
  /** Nobody asked for a level: beside a training's own output only what disturbs is told. */
  readonly isQuiet: boolean;
  /** How long the end of a host is waited for. */
  readonly hurriedMs: number;
  readonly say: (text: string) => void;
}

const lookEveryMs = 60_000;
const startsMax = 5;
/** Of a command that has ended: what keeps a program from starting, such as one that is being replaced, passes. */
const lastStartsMax = 3;
const startAgainMs = 1_000;
/** An agent that is asked to end says its last words in less. */
const unansweredMs = 20_000;

interface Shipper {
  readonly child: ChildProcessByStdio<Writable, null, null>;
  readonly ended: Promise<number>;
}

/**
 * Ships a session from a process of its own, while its command runs and after it: what shipping needs of memory, time
 * and luck is then nothing to the command, whose output goes through this process. Where a daemon ships the folder
 * already it is left to that one; should it go, we come.
 */
export class Shipping {
  readonly #options: ShippingOptions;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  #shipper: Shipper | undefined;
  #starts = 0;
  #whyNone = '';
  #leaves = 0;
  #isEnding = false;

  constructor(options: ShippingOptions) {
    this.#options = options;
    this.#watching = this.#watch();
  }

  async #watch(): Promise<void> {
    while (!this.#over.signal.aborted) {
      if (!this.#shipper && this.#starts < startsMax) {
        const place = await this.#look();
        if (!('leftTo' in place) && !this.#over.signal.aborted) this.#start(place.state);
      }
      await systemClock.sleep(lookEveryMs, this.#over.signal);
    }
  }

  /** Who ships the folder already, or with which state directory we may: a daemon of another folder leaves us one below its own. */
  async #look(): Promise<{ readonly leftTo: string } | { readonly state: string }> {
    const { folder, root, stateDirectory } = this.#options;
    for (const state of [stateDirectory, join(stateDirectory, hashFolder(folder))]) {
      const status = await askStatus(state);
      if (!status?.running) return { state };
      if (isWithin(status.folder, join(folder, root)))
        return {
          leftTo: `process ${status.pid} on ${status.host}, which ships ${JSON.stringify(status.folder)}`,
        };
    }
    return { state: stateDirectory };
  }

  /** Undefined, the reason noted, where it cannot be: whatever that is, it is nothing to the command. */
  #start(state: string): Shipper | undefined {
    this.#starts += 1;
    try {
      this.#shipper = this.#spawn(state);
    } catch (error) {
      this.#whyNone = errnoOf(error); // reason: no memory for a process, or a program that is just being replaced
    }
    return this.#shipper;
  }

  #spawn(state: string): Shipper {
    const { edge, own, flags, folder, root, isQuiet } = this.#options;
    const level = flags.logLevel ?? (isQuiet ? 'warn' : undefined);
    const global = Object.entries({
      '--config': flags.config,
      '--env-file': flags.envFile,
      '--log-level': level,
    });
    const [program, ...before] = own.self;
    const args = [
      ...before,
      ...global.flatMap(([name, value]) => (value === undefined ? [] : [name, value])),
      ...['exec-ship', '--', folder, root, state],
    ];
    // A session of its own: what a terminal sends to its foreground group is not for it.
    const child = spawn(program, args, {
      cwd: edge.cwd,
      env: shippingEnvironment(edge.env),
      stdio: ['pipe', 'ignore', 'inherit'],
      detached: true,
    });
    child.stdin.on('error', () => undefined); // reason: it is gone, and `ended` says how
    const ended = new Promise<number>((resolve) => {
      child.once('error', () => resolve(exitCode.bug));
      child.once('exit', (code) => resolve(code ?? exitCode.bug));
    });
    const shipper = { child, ended };
    void ended.then(() => {
      if (this.#shipper === shipper) this.#shipper = undefined;
    });
    return shipper;
  }

  /** The session has ended: ships what there is, and says what is left. `isHurried`: somebody asked us to end. */
  async finish(isHurried: boolean): Promise<void> {
    const { edge, folder, say, hurriedMs } = this.#options;
    this.#over.abort();
    await this.#watching;
    let shipper = this.#shipper;
    for (let starts = 0; !shipper && starts < lastStartsMax; starts++) {
      if (starts > 0) await systemClock.sleep(startAgainMs);
      const place = await this.#look();
      if ('leftTo' in place) return say(`the session is left to ${place.leftTo}`);
      shipper = this.#start(place.state);
    }
    if (!shipper)
      return say(
        `shipping could not begin, ${this.#whyNone}: "trainlogd drain ${folder}" ships what is not there yet`,
      );
    const code = await this.#end(shipper, isHurried ? hurriedMs : shippingMs);
    if (code === exitCode.ok && edge.stderrIsTerminal) say('shipped, nothing is left');
    if (code === heldCode) say('the session is left to another trainlogd, which holds the state directory');
    else if (code !== exitCode.ok && code !== exitCode.unsent)
      say(
        `shipping ended early (exit code ${code}): "trainlogd drain ${folder}" ships what is not there yet`,
      );
  }

  async #end({ child, ended }: Shipper, timeoutMs: number): Promise<number> {
    const done = new AbortController();
    void ended.then(() => done.abort());
    this.#isEnding = true;
    child.stdin.write([words.over, ...Array(this.#leaves).fill(words.leave), ''].join('\n'));
    await systemClock.sleep(timeoutMs, done.signal);
    if (!done.signal.aborted) this.interrupt();
    await systemClock.sleep(unansweredMs, done.signal);
    if (!done.signal.aborted) child.kill('SIGKILL');
    return ended;
  }

  /** What is not there yet is left to the next start. */
  interrupt(): void {
    this.#leaves += 1;
    if (this.#isEnding) this.#shipper?.child.stdin.write(`${words.leave}\n`);
  }
}
