/** The processes that this host shows us; in a container often only our own. */
export interface ProcessTable {
  /** Number and start time, in this PID namespace and boot; undefined when there is no such process in view. */
  identify(pid: number): Promise<ProcessIdentity | undefined>;
  isAlive(identity: ProcessIdentity): Promise<boolean>;
  /** Of the environment that it was started with, the variables of these names; undefined where it may not be read. */
  variables(
    identity: ProcessIdentity,
    names: ReadonlySet<string>,
  ): Promise<Readonly<Record<string, string>> | undefined>;
  /** All files (`dev:ino`) that processes in view hold open, ourselves left out; undefined: more than `max`, or unknown. */
  allHeldOpen(max: number): Promise<ReadonlySet<string> | undefined>;
  /** Which of these files (`dev:ino`) some process in view holds open, ourselves left out. */
  heldOpen(files: ReadonlySet<string>): Promise<ReadonlySet<string>>;
}

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as in /proc/PID/stat. */
  readonly startTicks: string;
  /** Wall-clock milliseconds, from boot time and ticks. */
  readonly startedAtMs: number;
  readonly bootId: string;
  readonly pidNamespace: string;
}
