import type { FileFailure } from '../domain/failure.ts';
import type { LeaseIdentity } from '../domain/lease.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';

/** `alone`: no lease can be kept here; the session is shipped all the same. `away`: the folder, or the session, is. */
export type Claimed =
  | {
      readonly at: 'held' | 'alone';
      readonly identity: LeaseIdentity | undefined;
      /** Another host may have shipped of it since we last did. */
      readonly fromAnother: boolean;
    }
  | { readonly at: 'elsewhere'; readonly host: string }
  | { readonly at: 'away'; readonly failure: FileFailure };

export interface LeaseSubject {
  readonly root: WatchedPath;
  /** `directoryIdentity` of the root. */
  readonly directory: string;
  /** Undefined: nobody has looked at its files yet. */
  readonly shape: string | undefined;
}

/** What a session is called before it has an identity, and by hosts that will never give it one. */
export function leaseName(root: WatchedPath): string {
  return root === '' ? '.' : displayPath(root);
}
