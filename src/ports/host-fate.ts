/** What becomes of the host, as far as it can be known from inside. Never throws, never keeps anybody waiting for long. */
export interface HostFate {
  /** What says that this host is going now, as the log of a session would say it; undefined: nothing does. */
  goingBecause(): Promise<string | undefined>;
}
