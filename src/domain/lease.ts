import { createHash } from 'node:crypto';
import { z } from 'zod';
import { believableStart } from './session-identity.ts';
import { pathToBytes, type WatchedPath } from './watched-path.ts';

/**
 * Who ships a session of a folder that several hosts watch.
 *
 * A lease is a chain of numbered records. Everything that is said of it (taken, still alive, released, done) is the next
 * number, made so that only one host can make it; the highest number counts. A host that was asleep cannot keep up a
 * lease that another has taken, whatever their clocks say: the number that it would need is gone.
 *
 *   held      its host ships the session; silent when no next number came for `leaseMs` of the onlooker's own clock
 *   released  its host ended in order: whoever comes first takes it
 *   done      the session is shipped as it was then; whoever sees it change takes it
 */
export interface LeaseLimits {
  /** So long after the last sign of life others take over. */
  readonly leaseMs: number;
  readonly beatMs: number;
}

export const leaseLimits: LeaseLimits = { leaseMs: 5 * 60_000, beatMs: 60_000 };

/** Larger is no lease of ours: one number a minute does not get there. */
export const leaseNumberMax = 999_999_999_999;

const identitySchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/),
  key: z.string().min(1).max(1024),
  startedAtMs: z.int(),
  startedBy: z.string().max(200),
  origin: z.string().regex(/^[0-9a-f]{32}$/),
  unique: z.boolean(),
  warnings: z.array(z.string().max(4000)).max(50),
});

export const leaseSchema = z.object({
  version: z.literal(1),
  state: z.enum(['held', 'released', 'done']),
  host: z.string().min(1).max(255),
  writer: z.string().min(1).max(128),
  /** Of the session, relative to the folder. */
  root: z.string().max(8192),
  /** `directoryIdentity` of the root; empty where it is not known. */
  directory: z.string().max(128),
  /** What was shipped, by `portableShape`; only of one that is done. */
  shape: z.string().max(64).optional(),
  /** Once the session has one: who takes over goes on under it. */
  identity: identitySchema.optional(),
});

export type Lease = z.infer<typeof leaseSchema>;
export type LeaseIdentity = NonNullable<Lease['identity']>;

export interface FoundLease {
  readonly number: number;
  /** Undefined: what is there cannot be read as a lease. */
  readonly lease: Lease | undefined;
  /** Written by the user that we write as: only then what it says of the session is believed. */
  readonly trusted: boolean;
}

export interface LeaseSeeker {
  readonly host: string;
  readonly writer: string;
  /** Of the session as it is now; undefined: nobody has looked yet. */
  readonly shape: string | undefined;
}

export type LeaseStep =
  | { readonly take: true; readonly because: 'nobody' | 'ours' | 'released' | 'silent' | 'changed' }
  | { readonly take: false; readonly isDone: boolean };

/** `unchangedMs`: for how long the seeker has seen this very number. */
export function nextStep(
  found: FoundLease | undefined,
  seeker: LeaseSeeker,
  unchangedMs: number,
  { leaseMs }: LeaseLimits,
): LeaseStep {
  if (!found) return { take: true, because: 'nobody' };
  const { lease } = found;
  if (lease && isOurs(lease, seeker)) return { take: true, because: 'ours' };
  if (lease?.state === 'released') return { take: true, because: 'released' };
  if (lease?.state === 'done') {
    const isChanged = seeker.shape !== undefined && seeker.shape !== lease.shape;
    return isChanged ? { take: true, because: 'changed' } : { take: false, isDone: true };
  }
  // One that cannot be read may be a living host's: it is given the same time.
  return unchangedMs >= leaseMs ? { take: true, because: 'silent' } : { take: false, isDone: false };
}

/** The host, too: a state directory that was copied to another machine is not that machine's. */
export function isOurs(lease: Lease, { host, writer }: Pick<LeaseSeeker, 'host' | 'writer'>): boolean {
  return lease.host === host && lease.writer === writer;
}

/** Under which identity the session of this root and directory goes on; undefined: it gets one of its own. */
export function inheritedIdentity(
  found: FoundLease | undefined,
  session: { readonly root: WatchedPath; readonly directory: string },
  nowMs: number,
): LeaseIdentity | undefined {
  const lease = found?.lease;
  if (!found?.trusted || !lease?.identity || lease.root !== session.root) return undefined;
  if (!believableStart(lease.identity.startedAtMs, nowMs)) return undefined;
  return isSameDirectory(lease.directory, session.directory) ? lease.identity : undefined;
}

/** Inode and birth time, the latter only where both hosts know it: not every kernel tells it over a network. */
export function isSameDirectory(a: string, b: string): boolean {
  if (a === '' || b === '') return true;
  const [inodeA, bornA] = a.split(':');
  const [inodeB, bornB] = b.split(':');
  return inodeA === inodeB && (bornA === bornB || bornA === '0' || bornB === '0');
}

/** One word for a session's files that is the same on every host: no inode, no ctime. */
export function portableShape(
  files: Iterable<{ readonly path: WatchedPath; readonly sizeBytes: number; readonly mtimeNs: bigint }>,
): string {
  const hash = createHash('sha256');
  for (const { path, sizeBytes, mtimeNs } of files) {
    hash.update(pathToBytes(path)).update(`\0${sizeBytes}:${mtimeNs / 1_000_000n}\0`);
  }
  return hash.digest('base64url').slice(0, 24);
}

/** The directory that a session's lease lies in, below the folder's own. No two roots share one. */
export function leaseDirectoryName(root: WatchedPath): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(root)) return root;
  return `@${createHash('sha256').update(pathToBytes(root)).digest('hex')}`;
}
