import type { FoundLease, Lease } from '../domain/lease.ts';
import type { WatchedPath } from '../domain/watched-path.ts';

/**
 * Leases of sessions, where every host that watches the folder sees them. Contract: test/contracts/lease-store.ts.
 *
 * - Of all hosts that write the same number at the same time exactly one is told that it did.
 * - A number below one that is there is never written: who slept through many others is told so.
 * - The highest number is never removed but with its session; a few before it are kept.
 * - What lies there was written by anybody: it is bounded, checked, and never a reason to wait or to fail.
 * - Errors are FileFailure: `vanished` when the folder itself, or the session that a first lease is for, is not there.
 */
export interface LeaseStore {
  /** The one with the highest number. */
  read(root: WatchedPath): Promise<FoundLease | undefined>;
  /** False when this number, or a higher one, is there already. */
  write(root: WatchedPath, number: number, lease: Lease): Promise<boolean>;
  /** After the session's root is gone; while it is there, nothing happens. */
  remove(root: WatchedPath): Promise<void>;
}
