import type { PartRange } from '../domain/part-layout.ts';
import type { WatchedPath } from '../domain/watched-path.ts';
import { fingerprintOf, type OpenFile } from '../ports/file-source.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import type { PartStore, SentPart } from '../ports/part-store.ts';
import type { Receipt } from '../ports/stored-object.ts';
import { cancelled, type PartProofs, sumsOfEqualPrefix } from './part-proof.ts';
import type { ShippingContext } from './shipping-context.ts';

/** A file and the object that it becomes. */
export interface PartTarget {
  readonly sid: number;
  /** The session's id, for people. */
  readonly session: string;
  readonly path: WatchedPath;
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly contentType: string;
  /** Asked once more right before the object is shown; what it throws is passed on. */
  readonly beforeComplete?: () => Promise<void>;
  /** Our own object that is at the key now: bytes that need not travel again. */
  readonly previous?: Receipt;
}

/** Parts of one upload that are to be there. */
export interface PartWork {
  readonly target: PartTarget;
  readonly upload: UploadRecord;
  readonly opened: OpenFile;
  readonly ranges: readonly PartRange[];
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** Brings parts to the bucket, several at once, and records each as it arrives. */
export class PartSender {
  readonly #context: ShippingContext;
  readonly #parts: PartStore;
  readonly #partConcurrency: number;
  readonly #proofs: PartProofs;
  /** False once the destination did not copy: it is not asked for each part again. */
  #copies = true;

  constructor(options: {
    context: ShippingContext;
    parts: PartStore;
    partConcurrency: number;
    proofs: PartProofs;
  }) {
    this.#context = options.context;
    this.#parts = options.parts;
    this.#partConcurrency = options.partConcurrency;
    this.#proofs = options.proofs;
  }

  /** Throws what failed first, once nothing is in flight any more. */
  async sendMissing(work: PartWork): Promise<void> {
    const { target, ranges, signal } = work;
    const open = this.#context.journal.openUpload(target.sid, target.path);
    const recorded = recordedParts(open, ranges);
    const missing = ranges.filter(({ number }) => !recorded.has(number));
    const progress = new PartProgress([...recorded.values()], work.onProgress);
    const copied = await this.#copy(work, missing, progress);
    const rest = missing.filter(({ number }) => !copied.has(number));
    await this.#each(rest, signal, async (range) => {
      let state = '';
      const part = await this.through(target, signal, async () => {
        state = fingerprintOf(await work.opened.statNow());
        const onProgress = (sentBytes: number) => progress.moved(range.number, sentBytes);
        return await this.#parts.send(work.upload, range, work.opened, signal, onProgress);
      });
      this.#record(work, part, state, progress);
    });
  }

  /** Behind the gate. Throws Failure('cancelled') when `signal` aborts. */
  async through<T>(target: PartTarget, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    const answer = await this.#context.gate.through(signal, target.sid, async () => ({
      value: await request(),
    }));
    if (!answer) throw cancelled(`sending ${JSON.stringify(target.key)}`);
    return answer.value;
  }

  /** Parts whose bytes the object that is there now begins with: the numbers of those that it gave. */
  async #copy(
    work: PartWork,
    missing: readonly PartRange[],
    progress: PartProgress,
  ): Promise<ReadonlySet<number>> {
    const copied = new Set<number>();
    const { target, opened, signal, ranges } = work;
    const { previous, key } = target;
    if (!this.#copies || !previous || previous.crc32 === '') return copied;
    const liesInside = (range: PartRange) => range.position + range.sizeBytes <= previous.sizeBytes;
    const wanted = missing.filter(liesInside);
    if (wanted.length === 0) return copied;
    const state = fingerprintOf(await opened.statNow());
    const { sizeBytes, crc32, etag } = previous;
    const sums = await sumsOfEqualPrefix(opened, ranges.filter(liesInside), sizeBytes, crc32, signal);
    if (!sums) return copied;
    const from = { key, sizeBytes, etag, metadata: {} };
    await this.#each(wanted, signal, async (range) => {
      if (!this.#copies) return;
      const sum = sums.get(range.number) ?? '';
      const part = await this.through(target, signal, () =>
        this.#parts.copy(work.upload, range, from, sum, signal),
      );
      if (!part) {
        this.#copies = false;
        return;
      }
      copied.add(range.number);
      this.#record(work, part, state, progress);
    });
    return copied;
  }

  #record({ target, upload }: PartWork, part: SentPart, state: string, progress: PartProgress): void {
    this.#context.journal.recordPart(target.sid, target.path, upload.uploadId, part);
    this.#proofs.note(upload.uploadId, part.number, state);
    progress.arrived(part);
  }

  async #each(
    ranges: readonly PartRange[],
    signal: AbortSignal,
    work: (range: PartRange) => Promise<void>,
  ): Promise<void> {
    const left = ranges.values();
    let failed: { readonly error: unknown } | undefined;
    const worker = async () => {
      for (const range of left) {
        if (failed || signal.aborted) return;
        try {
          await work(range);
        } catch (error) {
          failed ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#partConcurrency, ranges.length) }, worker));
    if (failed) throw failed.error;
    if (signal.aborted) throw cancelled('sending parts');
  }
}

/** Those of `ranges` that are recorded as they are wanted, by number: a last part that is longer now is sent again. */
export function recordedParts(
  upload: UploadRecord | undefined,
  ranges: readonly PartRange[],
): ReadonlyMap<number, SentPart> {
  const wanted = new Map(ranges.map(({ number, sizeBytes }) => [number, sizeBytes]));
  const parts = upload?.parts ?? [];
  return new Map(
    parts.filter((part) => wanted.get(part.number) === part.sizeBytes).map((part) => [part.number, part]),
  );
}

/** Bytes of the object that are in the bucket or on their way, told as they move. */
class PartProgress {
  readonly #inFlight = new Map<number, number>();
  readonly #onProgress: (sentBytes: number) => void;
  #arrivedBytes: number;

  constructor(recorded: readonly SentPart[], onProgress: (sentBytes: number) => void) {
    this.#onProgress = onProgress;
    this.#arrivedBytes = recorded.reduce((sum, part) => sum + part.sizeBytes, 0);
    this.#tell();
  }

  moved(part: number, sentBytes: number): void {
    this.#inFlight.set(part, sentBytes);
    this.#tell();
  }

  arrived(part: SentPart): void {
    this.#inFlight.delete(part.number);
    this.#arrivedBytes += part.sizeBytes;
    this.#tell();
  }

  #tell(): void {
    this.#onProgress([...this.#inFlight.values()].reduce((sum, bytes) => sum + bytes, this.#arrivedBytes));
  }
}
