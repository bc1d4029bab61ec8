import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A line of the daemon, as it writes them with `log.format: json`. */
export interface DaemonLine {
  readonly event?: string;
  readonly level?: string;
  readonly message: string;
  readonly key?: string;
  readonly status?: string;
  readonly missing?: number;
}

const project = join(import.meta.dirname, '..', '..');

/** The demo's own child processes: whatever happens to it, none of them outlives it. */
export class Processes {
  readonly #children: ChildProcess[] = [];
  readonly #over: AbortSignal;

  /** When `over` aborts, whatever waits for a child rejects with its reason. */
  constructor(over: AbortSignal) {
    this.#over = over;
    process.on('exit', () => this.kill());
  }

  kill(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill('SIGKILL');
  }

  /** The real daemon, as `npm start` runs it, in `directory` and with nothing of this machine's configuration. */
  daemon(directory: string, configFile: string, onLine: (line: DaemonLine) => void): RunningDaemon {
    const main = join(project, 'src', 'main.ts');
    const args = ['-r', join(project, 'src', 'require-node.cjs'), main, 'run', '--config', configFile];
    const ambient = Object.entries(process.env).filter(([name]) => !/^(TRAINLOGD|AWS|S3)_/.test(name));
    const child = this.#spawn(args, { cwd: directory, env: Object.fromEntries(ambient) });
    return new RunningDaemon(child, this.#over, onLine);
  }

  /** Resolves when the simulated training has ended well. */
  async training(directory: string, onLine: (line: string) => void): Promise<void> {
    const script = join(project, 'examples', 'simulated-training.ts');
    const child = this.#spawn([script, directory], { cwd: project, env: process.env });
    createInterface({ input: child.stdout }).on('line', onLine);
    createInterface({ input: child.stderr }).on('line', onLine);
    const [code] = await once(child, 'close', { signal: this.#over });
    if (code !== 0) throw new Error(`the simulated training ended with exit code ${code}, expected 0`);
  }

  #spawn(args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#children.push(child);
    return child;
  }
}

export class RunningDaemon {
  readonly #child: ChildProcess;
  readonly #over: AbortSignal;
  readonly #lines: DaemonLine[] = [];
  readonly #exited: Promise<unknown[]>;
  readonly #waiting = new Set<() => void>();

  constructor(
    child: ReturnType<typeof spawn> & { stderr: NonNullable<ChildProcess['stderr']> },
    over: AbortSignal,
    onLine: (line: DaemonLine) => void,
  ) {
    this.#child = child;
    this.#over = over;
    this.#exited = once(child, 'close');
    createInterface({ input: child.stderr }).on('line', (text) => {
      const line = parseLine(text);
      this.#lines.push(line);
      onLine(line);
      for (const look of this.#waiting) look();
    });
  }

  /** The first line that `isIt`; rejects when the daemon ends without one. `what` completes "before it could …". */
  saw(isIt: (line: DaemonLine) => boolean, what: string): Promise<DaemonLine> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.#lines.find(isIt);
        if (found) resolve(found);
      };
      this.#waiting.add(look);
      look();
      this.#over.addEventListener('abort', () => reject(this.#over.reason), { once: true });
      void this.#exited.then(([code]) => {
        const last = this.#lines.at(-1)?.message ?? 'it said nothing';
        reject(new Error(`trainlogd ended with exit code ${code} before it could ${what}: ${last}`));
      });
    });
  }

  /** Ends it in order, as systemd would; resolves with its exit code. */
  async stop(): Promise<unknown> {
    this.#child.kill('SIGTERM');
    const ended = new Promise((resolve, reject) => {
      this.#over.addEventListener('abort', () => reject(this.#over.reason), { once: true });
      void this.#exited.then(([code]) => resolve(code));
    });
    return ended;
  }
}

function parseLine(text: string): DaemonLine {
  try {
    return JSON.parse(text) as DaemonLine;
  } catch {
    return { level: 'error', message: text }; // reason: a crash is told in plain text
  }
}
