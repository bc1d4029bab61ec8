/** Who started us and watches over us: systemd, where it does. Nothing here ever throws or keeps anybody waiting. */
export interface Supervisor {
  /** How long it waits for a sign of life before it restarts us; undefined: it does not. */
  readonly watchdogMs: number | undefined;
  /** Variables of sd_notify(3) with their values, in one message. */
  tell(message: SupervisorMessage): void;
  /** Resolves once all that was told has been delivered or given up. */
  flushed(): Promise<void>;
}

export interface SupervisorMessage {
  /** Whoever waits for the start goes on. Also ends a `reloading`. */
  readonly ready?: true;
  readonly reloading?: true;
  readonly stopping?: true;
  /** Of the watchdog. */
  readonly alive?: true;
  /** Starting or stopping takes this long from now; whatever the unit allows is made longer, never shorter. */
  readonly extendTimeoutMs?: number;
  /** One line for people. */
  readonly status?: string;
}
