import { Failure, FileFailure } from '../domain/failure.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import {
  type ClaimInfo,
  type FileSource,
  type FileStat,
  fingerprintAfter,
  fingerprintOf,
  isKnownAs,
} from '../ports/file-source.ts';
import type { DeletableFile, FileRecord, Journal } from '../ports/journal.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { ProcessTable } from '../ports/process-table.ts';
import type { Service } from '../ports/service.ts';
import type { AbandonedUploads } from './abandoned-uploads.ts';
import { pathInFolder } from './sort-files.ts';

export interface JanitorOptions {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly store: ObjectStore;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly events: Events;
  readonly folder: string;
  /** Undefined where the destination knows no parts. */
  readonly abandoned: AbandonedUploads | undefined;
  readonly retention: { readonly localFiles: 'keep' | 'delete'; readonly keepForMs: number };
}

const everyMs = 60_000;
const pageSize = 500;
const toldMax = 1000;
const namedMax = 5;

/**
 * Cleans up after shipping: claims that nobody needs any more, parts of uploads that were given up and, where the owner
 * asked for it, files that arrived.
 */
export class Janitor implements Service {
  readonly name = 'janitor';
  readonly #options: JanitorOptions;
  readonly #stop = new AbortController();
  readonly #told = new Set<WatchedPath>();
  /** Monotonic. */
  readonly #sinceMs: number;
  #running: Promise<void> | undefined;

  constructor(options: JanitorOptions) {
    this.#options = options;
    this.#sinceMs = options.clock.monotonicMs();
  }

  run(): Promise<void> {
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#makeRoom();
      await this.#options.abandoned?.free(this.#stop.signal);
      if (this.#options.retention.localFiles === 'delete') await this.deleteShipped(this.#stop.signal);
      await this.#options.clock.sleep(everyMs, this.#stop.signal);
    }
  }

  /**
   * Claims of earlier lives that no file needs, before anybody makes or needs one in this life. One whose bytes are in the
   * bucket goes, and one of a file that is still there under another name: if it was to be queued, the next look does so
   * again. The last link to bytes that no journal speaks for (a kill came between the link and the journal, and the owner
   * deleted the file) is kept for a person.
   */
  async prepare(): Promise<void> {
    const { journal, source } = this.#options;
    // A receipt that a power cut takes back would leave its file without a claim.
    await journal.synced();
    const needed = journal.pendingClaims();
    const claims = await source.claims();
    const keptAnyway = new Set(claims.filter(({ claim }) => needed.has(claim)).map(bytesOf));
    const orphans = claims.filter(({ claim }) => !needed.has(claim));
    const unknown: ClaimInfo[] = [];
    for (const [sid, ofSession] of Map.groupBy(orphans, ({ claim }) => sidOf(claim))) {
      const rows = new Map(journal.files(sid).map((row) => [row.claim, row]));
      for (const info of ofSession) {
        const row = rows.get(info.claim);
        const isSent = row?.state === 'uploaded' && isKnownAs(row.fingerprint, info.stat);
        if (info.isLastLink && !isSent && !keptAnyway.has(bytesOf(info))) unknown.push(info);
        else await this.#release(info.claim, sid, isSent ? row : undefined);
      }
    }
    await this.#keepUnknown(unknown);
  }

  /** Several may lead to the same bytes, of which one name is enough. */
  async #keepUnknown(unknown: readonly ClaimInfo[]): Promise<void> {
    const { source, clock, events } = this.#options;
    const sameBytes = [...Map.groupBy(unknown, bytesOf).values()].map((infos) =>
      infos.map(({ claim }) => claim),
    );
    const kept = await source.keepAside(
      sameBytes.flatMap(([first = '']) => first),
      clock.nowMs(),
    );
    for (const claim of sameBytes.flatMap(([, ...others]) => others)) await source.releaseClaim(claim);
    if (!kept) return;
    const because = 'trainlogd was killed before it had noted what they are called';
    events.emit('claims.kept', {
      ...kept,
      sessions: this.#sessionsOf(unknown.map(({ claim }) => claim)),
      because,
    });
  }

  async #release(claim: string, sid: number, row: FileRecord | undefined): Promise<void> {
    const released = await this.#options.source.releaseClaim(claim);
    if (!row) return;
    const { path, fingerprint } = row;
    const isSame = released && isKnownAs(fingerprint, released);
    const after = isSame ? fingerprintAfter(fingerprint, released) : fingerprint;
    this.#options.journal.recordReleased(sid, path, fingerprint, after);
  }

  #sessionsOf(claims: readonly string[]): string[] {
    const sids = [...new Set(claims.map(sidOf))].slice(0, namedMax);
    return sids.flatMap((sid) => this.#options.journal.session(sid)?.identity?.id ?? []);
  }

  /** Below the free-space floor the training's disk is worth more than a file that its owner has deleted. */
  async #makeRoom(): Promise<void> {
    const { source, clock, events } = this.#options;
    const runningMs = clock.monotonicMs() - this.#sinceMs;
    for (const dropped of await source.dropKeptAside(clock.nowMs(), runningMs))
      events.emit('claims.dropped', dropped);
    for (const claim of await source.releaseClaimsBelowFloor()) {
      const [session = String(sidOf(claim))] = this.#sessionsOf([claim]);
      events.emit('claim.released', {
        session,
        path: claim,
        reason: 'the disk is nearly full',
      });
    }
  }

  /** Every condition again, right before each single file goes. */
  async deleteShipped(signal: AbortSignal): Promise<void> {
    const { journal, clock, folder, retention } = this.#options;
    const beforeMs = clock.nowMs() - retention.keepForMs;
    let after: DeletableFile | undefined;
    do {
      const candidates = journal.deletable(folder, beforeMs, pageSize, after);
      // What is deleted has a receipt that no power cut takes back.
      await journal.synced();
      for (const candidate of candidates) {
        if (signal.aborted) return;
        await this.#delete(candidate, signal);
      }
      after = candidates.at(-1);
    } while (after !== undefined);
  }

  async #delete({ sid, session, root, kind, file }: DeletableFile, signal: AbortSignal): Promise<void> {
    const { processes, journal, events } = this.#options;
    const path = pathInFolder(root, kind, file.path);
    const stat = await this.#statOf(path);
    if (stat === 'gone') return journal.recordDeleted(sid, file.path);
    if (!stat || fingerprintOf(stat) !== file.fingerprint || String(stat.dev) !== file.receipt?.device)
      return;
    const name = `${stat.dev}:${stat.ino}`;
    if (!(await this.#isInBucket(file, signal))) return;
    // Last, because the bucket may take its time: whoever opens the file in between is still seen.
    if ((await processes.heldOpen(new Set([name]))).has(name)) return;
    if (!(await this.#remove(path, stat, session))) return;
    journal.recordDeleted(sid, file.path);
    events.emit('file.deleted', { session, path: displayPath(file.path), sizeBytes: stat.sizeBytes });
  }

  /** A folder that we may only read keeps its files; that is told once each. */
  async #remove(path: WatchedPath, stat: FileStat, session: string): Promise<boolean> {
    try {
      return (await this.#options.source.removeIfUnchanged(path, stat)) === 'removed';
    } catch (error) {
      if (!(error instanceof FileFailure)) throw error;
      if (this.#told.has(path) || this.#told.size >= toldMax) return false;
      this.#told.add(path);
      const { message: cause, code, remedy } = error;
      this.#options.events.emit('file.kept', { session, path: displayPath(path), code, cause, remedy });
      return false;
    }
  }

  async #statOf(path: WatchedPath): Promise<FileStat | 'gone' | undefined> {
    try {
      const opened = await this.#options.source.open(path);
      await opened.close();
      return opened.stat;
    } catch (error) {
      // What cannot be opened is not deleted; what somebody else deleted is none of ours any more.
      if (error instanceof FileFailure) return error.reason === 'vanished' ? 'gone' : undefined;
      throw error;
    }
  }

  async #isInBucket(file: DeletableFile['file'], signal: AbortSignal): Promise<boolean> {
    try {
      const found = await this.#options.store.find(file.key, signal);
      return found?.etag === file.receipt?.etag && found?.sizeBytes === file.receipt?.sizeBytes;
    } catch (error) {
      if (error instanceof Failure) return false; // reason: in doubt the file stays, the next round asks again
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running?.catch(() => {
      // reason: whoever awaits run() is told
    });
  }
}

/** Claims of one inode; their directory is on one file system. */
function bytesOf({ stat }: ClaimInfo): bigint {
  return stat.ino;
}

/** A claim's name begins with its session's number; one that was made by hand is no session's. */
function sidOf(claim: string): number {
  const sid = Number.parseInt(claim, 10);
  return Number.isSafeInteger(sid) ? sid : 0;
}
