import type { Agent } from '../compose.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { LeaseLimits } from '../domain/lease.ts';
import type { Progress } from './progress.ts';

/** What `run`, `drain` and `backfill` have in common: build the agent, run it, end it in order, say what is left. */
export interface ShipOptions {
  readonly directory: string | undefined;
  readonly overrides?: Record<string, unknown>;
  readonly includeSkipped?: boolean;
  /** It is there to stay: it reports on schedule and serves HTTP. */
  readonly stays?: boolean;
  /** Sessions that go on are none of its business. */
  readonly ignoresOpen?: boolean;
  /** Others of this kind follow in the same process: nothing is said of what is left, unless a signal ended it. */
  readonly isFollowed?: boolean;
  /** Looks at old sessions too. */
  readonly takeAll?: boolean;
  /** There is no later: a session whose directory is gone is not waited for. */
  readonly givesUpAbsent?: boolean;
  /** Before anything runs, in each life. */
  readonly prepare?: (agent: Agent, loaded: LoadedConfig) => void;
  /** Asked all the time; true ends the run in order. Without it only a signal does. */
  readonly isDone?: (agent: Agent) => boolean;
  /** In the last life, before it lets go of what it holds. */
  readonly onEnd?: (agent: Agent) => void;
  readonly timeoutMs?: number | undefined;
  /** How long leases on a shared folder last; absent: as `docs/reference.md` says. */
  readonly leases?: LeaseLimits;
  /** Shown on a terminal, where it takes the place of the log lines of an undisturbed run. */
  readonly progress?: Progress;
}
