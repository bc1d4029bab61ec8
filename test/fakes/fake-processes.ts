import type { ProcessIdentity, ProcessTable } from '../../src/ports/process-table.ts';

/** The processes in view: what a test starts, kills and lets hold files open. */
export class FakeProcesses implements ProcessTable {
  /** `dev:ino` of files that some process holds open. */
  readonly openFiles = new Set<string>();
  /** Environments by number; a process without one may not be looked into. */
  readonly environments = new Map<number, Readonly<Record<string, string>>>();
  readonly #living = new Map<number, ProcessIdentity>();
  #starts = 0;

  /** A number that is in use goes over to the new process. */
  start(pid: number, startedAtMs: number): void {
    this.#starts += 1;
    this.#living.set(pid, {
      pid,
      startTicks: String(this.#starts),
      startedAtMs,
      bootId: 'boot',
      pidNamespace: 'pid:[1]',
    });
  }

  kill(pid: number): void {
    this.#living.delete(pid);
  }

  async identify(pid: number): Promise<ProcessIdentity | undefined> {
    return this.#living.get(pid);
  }

  async isAlive(identity: ProcessIdentity): Promise<boolean> {
    return this.#living.get(identity.pid)?.startTicks === identity.startTicks;
  }

  async variables(
    identity: ProcessIdentity,
    names: ReadonlySet<string>,
  ): Promise<Readonly<Record<string, string>> | undefined> {
    const environment = (await this.isAlive(identity)) && this.environments.get(identity.pid);
    if (!environment) return undefined;
    return Object.fromEntries(Object.entries(environment).filter(([name]) => names.has(name)));
  }

  /** How often all were looked at. */
  looks = 0;

  async allHeldOpen(max: number): Promise<ReadonlySet<string> | undefined> {
    this.looks += 1;
    return this.openFiles.size > max ? undefined : new Set(this.openFiles);
  }

  async heldOpen(files: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    return new Set([...files].filter((name) => this.openFiles.has(name)));
  }
}
