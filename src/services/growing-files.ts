import type PQueue from 'p-queue';
import { Conflict, Failure, FileFailure } from '../domain/failure.ts';
import { retryDelayMs } from '../domain/retry-policy.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import type { Service } from '../ports/service.ts';
import type { GrowingFile } from './file-growth.ts';
import type { OneTransfer } from './file-transfer.ts';
import type { GrowingParts } from './growing-parts.ts';
import { IdentityTaken, type ShippingContext } from './shipping-context.ts';

export interface GrowingFilesOptions {
  readonly context: ShippingContext;
  readonly parts: Pick<GrowingParts, 'send'>;
  /** Shared with all other transfers. */
  readonly queue: PQueue;
  /** How many files grow in the bucket at once. */
  readonly filesMax: number;
}

interface Want {
  readonly file: GrowingFile;
  /** Monotonic. */
  readonly notBeforeMs: number;
  readonly attempts: number;
}

const untilAnnounced = Number.POSITIVE_INFINITY;
/** Behind everything that is finished. */
const priority = -1;

/**
 * Files of open sessions go to the bucket while they are written, so that their end has little left to send and a host
 * that never returns leaves them there. Wants are memory, made anew by looks: what was sent is in the ledger.
 *
 *   invariant: a file that is queued whole is left to its job; a job begins when nothing of its file grows any more
 *   invariant: one turn sends a few parts and queues up again behind finished work
 *
 *   failed             then
 *   for this time      tried again later; the parts in the ledger stay
 *   denied for good    the same: only the job at the end of the session parks a file
 *   by the file        forgotten: the next look decides
 *   not ours any more  the same: another host ships the session
 */
export class GrowingFiles implements Service {
  readonly name = 'growing files';
  readonly #options: GrowingFilesOptions;
  readonly #wants = new Map<string, Want>();
  readonly #queued = new Set<string>();
  readonly #moving = new Map<string, Promise<void>>();
  readonly #stop = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #isDraining = false;

  constructor(options: GrowingFilesOptions) {
    this.#options = options;
    // Whoever runs it is told; nobody has to.
    this.#over.promise.catch(() => {});
  }

  run(): Promise<void> {
    return this.#over.promise;
  }

  /** As much of the file is settled; said again, the later one counts. */
  want(file: GrowingFile): void {
    const key = keyOf(file.sid, file.path);
    this.#wants.set(key, { ...(this.#wants.get(key) ?? atOnce(file)), file });
    this.#pump();
  }

  /** A log of the session has reached the bucket: what waited for it may go. */
  announced(sid: number): void {
    for (const [key, { file, notBeforeMs }] of this.#wants) {
      if (file.sid === sid && notBeforeMs === untilAnnounced) this.#wants.set(key, atOnce(file));
    }
    this.#pump();
  }

  /** Nothing of the file is on its way any more, and nothing will be while it is queued whole. */
  async settled(sid: number, path: WatchedPath): Promise<void> {
    await this.#moving.get(keyOf(sid, path));
  }

  get isIdle(): boolean {
    return this.#queued.size === 0;
  }

  #pump(): void {
    const nowMs = this.#options.context.clock.monotonicMs();
    for (const [key, { notBeforeMs }] of this.#wants) {
      if (this.#isDraining || this.#stop.signal.aborted || this.#queued.size >= this.#options.filesMax)
        return;
      if (this.#queued.has(key) || notBeforeMs > nowMs) continue;
      this.#queued.add(key);
      void this.#options.queue.add(() => this.#turn(key), { priority });
    }
  }

  async #turn(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#moving.set(key, promise);
    const want = this.#wants.get(key);
    // Behind the others of its kind.
    this.#wants.delete(key);
    try {
      if (want && !this.#isDraining && !this.#stop.signal.aborted) await this.#send(key, want);
    } catch (error) {
      this.#over.reject(error);
      this.#stop.abort();
    } finally {
      this.#moving.delete(key);
      this.#queued.delete(key);
      resolve();
      this.#pump();
    }
  }

  async #send(key: string, want: Want): Promise<void> {
    try {
      const sent = await this.#options.parts.send(want.file, this.#stop.signal);
      // A look may have asked for more meanwhile.
      const file = this.#wants.get(key)?.file ?? want.file;
      if (sent === 'more') this.#wants.set(key, atOnce(file));
      if (sent === 'unannounced') this.#wants.set(key, { ...atOnce(file), notBeforeMs: untilAnnounced });
    } catch (error) {
      if (error instanceof FileFailure || error instanceof IdentityTaken) return;
      if (error instanceof Failure && error.kind === 'cancelled') return;
      if (!(error instanceof Failure || error instanceof Conflict)) throw error;
      this.#later(key, want, error);
    }
  }

  #later(key: string, want: Want, error: Failure | Conflict): void {
    const { clock, retry, gate } = this.#options.context;
    const asked = error instanceof Failure ? error.retryAfterMs : undefined;
    const attempts = want.attempts + 1;
    const delayMs = Math.max(retryDelayMs(attempts, retry, clock.random(), asked), gate.waitMs);
    const file = this.#wants.get(key)?.file ?? want.file;
    this.#wants.set(key, { file, notBeforeMs: clock.monotonicMs() + delayMs, attempts });
    void clock.sleep(delayMs, this.#stop.signal).then(() => this.#pump());
  }

  /** Finished work gets all the time that is left; what is in flight may end. */
  async drain(): Promise<void> {
    this.#isDraining = true;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#moving.values());
    this.#over.resolve();
  }
}

/** The same transfers, each begun when nothing of its file grows any more. */
export function afterGrowth(transfer: OneTransfer, growing: GrowingFiles): OneTransfer {
  return {
    run: async (shipment, file, signal, options) => {
      await growing.settled(shipment.sid, file.path);
      return await transfer.run(shipment, file, signal, options);
    },
  };
}

function atOnce(file: GrowingFile): Want {
  return { file, notBeforeMs: Number.NEGATIVE_INFINITY, attempts: 0 };
}

function keyOf(sid: number, path: WatchedPath): string {
  return `${sid}\0${path}`;
}
