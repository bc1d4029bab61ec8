import type { WatchedPath } from '../domain/watched-path.ts';
import type { Entry } from '../ports/file-source.ts';
import type { SurveyedSession } from './folder-survey.ts';
import type { TrackedSession } from './tracked-session.ts';

/** Which sessions are this host's business, where several hosts watch one folder. */
export interface SessionSharing {
  /** Other hosts may write here, and ship: what is of this host has to be seen. */
  readonly isActive: boolean;
  /** After a look at it, before anything is done about it. False: another host ships it, leave it alone. */
  mayLook(tracked: TrackedSession, surveyed: SurveyedSession, changed: boolean): Promise<boolean>;
  /** Before what was only a candidate becomes a session. False as for `mayLook`. */
  mayTake(tracked: TrackedSession, files: readonly Entry[]): Promise<boolean>;
  /** Another host has shipped it as it is, and nobody waits for anything. */
  isDoneElsewhere(root: WatchedPath): boolean;
  /** Its root is gone or another directory's by now, or nothing has to be known of it for now. */
  onLeft(root: WatchedPath): void;
  /** Before a pass over a session. False: not now; the journal says when, or the session is another host's. */
  mayShip(sid: number): Promise<boolean>;
  /** Right before something becomes visible in the bucket. Throws Failure when it must not. */
  assertMayWrite(key: string): Promise<void>;
  /** All of it is in the bucket. `isGone`: its root does not lead to it any more. */
  onShipped(root: WatchedPath, isGone: boolean): Promise<void>;
  /** Sessions that other hosts ship. */
  elsewhere(): readonly { readonly session: string; readonly host: string }[];
}

/** A folder that one host watches. */
export const unshared: SessionSharing = {
  isActive: false,
  mayLook: async () => true,
  mayTake: async () => true,
  isDoneElsewhere: () => false,
  onLeft: () => undefined,
  mayShip: async () => true,
  assertMayWrite: async () => undefined,
  onShipped: async () => undefined,
  elsewhere: () => [],
};
