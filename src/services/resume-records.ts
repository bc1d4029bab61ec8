import { contentTypeOf } from '../domain/content-type.ts';
import { Conflict, Failure } from '../domain/failure.ts';
import { resumeKey } from '../domain/object-key.ts';
import {
  leadingParts,
  type ResumeRecord,
  renderResumeRecord,
  writeSchedule,
} from '../domain/resume-record.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { SessionIdentity } from '../ports/journal.ts';
import type { UploadRecord } from '../ports/ledger.ts';
import type { PutCondition, Receipt } from '../ports/object-store.ts';
import { bytesSource } from './bytes-source.ts';
import { LeftUploads } from './left-uploads.ts';
import { cancelled } from './part-proof.ts';
import type { PartTarget } from './part-sender.ts';
import { IdentityTaken, isOurs, objectMetadata, type ShippingContext } from './shipping-context.ts';
import { Turns } from './turns.ts';

/** What was there is looked at, and replaced, this often in one try. */
const conflictsMax = 3;

/**
 * Keeps in the bucket what another host needs to complete an upload, should this one never come back.
 *
 *   invariant: before parts are given up, the record that may name them is made void, and none that names them is
 *     written after that: no other host makes an object of what the file is not any more
 *   invariant: what the journal gave up by itself, with a file that is gone for one, is in the ledger until its record is
 *     void, and until then no log is written that names the path as one to be sent: recovery reads no record of another
 */
export class ResumeRecords {
  readonly #context: ShippingContext;
  readonly #everyMs: number;
  /** Records of others, to go on from. */
  readonly left: LeftUploads;
  /** By file: whoever sends it may give it up while somebody else records it. */
  readonly #turns = new Turns<string>();

  /** `everyMs`: how often a session has a snapshot, which a record tells whoever finds it. */
  constructor(context: ShippingContext, everyMs: number) {
    this.#context = context;
    this.#everyMs = everyMs;
    this.left = new LeftUploads(context);
  }

  /** Are there parts that the record in the bucket does not name? */
  isBehind(open: UploadRecord): boolean {
    return leadingParts(open.parts, open.layout).length > (open.resume?.parts ?? 0);
  }

  /** Throws Failure and IdentityTaken. Nothing to do when all parts are named already, or `signal` aborts. */
  write(target: RecordTarget, identity: SessionIdentity, signal: AbortSignal): Promise<void> {
    return this.#turns.take(turnOf(target), () => this.#write(target, identity, signal));
  }

  /** Of all uploads of a session that are under way, for whoever goes on with them: one that fails holds up no other. */
  async writeAll(sid: number, signal: AbortSignal): Promise<void> {
    const { journal } = this.#context;
    const identity = journal.session(sid)?.identity;
    const behind = journal.openUploads(sid).filter((open) => this.isBehind(open));
    if (!identity || behind.length === 0) return;
    const files = new Map(journal.files(sid).map((file) => [file.path, file]));
    for (const { path, key } of behind) {
      const file = files.get(path);
      const previous = file?.key === key ? file.receipt : undefined;
      const target = {
        sid,
        path,
        contentType: contentTypeOf(displayPath(path)),
        ...(previous && { previous }),
      };
      try {
        await this.write(target, identity, signal);
      } catch (error) {
        // Without it more is sent again, no more than that.
        if (!(error instanceof Failure || error instanceof IdentityTaken)) throw error;
      }
    }
  }

  /** Before `giveUp`, which tells the ledger. Throws Failure, and then nothing is given up. */
  retire(target: PartTarget, open: UploadRecord, giveUp: () => void, signal: AbortSignal): Promise<void> {
    return this.#turns.take(turnOf(target), async () => {
      await this.#makeVoid(target, open, signal);
      giveUp();
      this.#context.journal.recordVoid(target.sid, target.path);
    });
  }

  /** Of uploads that the ledger gave up without asking. Not inside the gate, where a turn is waited for. Throws Failure. */
  async voidGivenUp(sid: number, paths: ReadonlySet<WatchedPath>, signal: AbortSignal): Promise<void> {
    const { journal } = this.#context;
    for (const path of paths) {
      const target = { sid, path, contentType: contentTypeOf(displayPath(path)) };
      const turn = this.#turns.take(turnOf(target), async () => {
        const named = journal.namedUploads(sid).findLast((upload) => upload.path === path);
        if (!named) return;
        await this.#makeVoid(target, named, signal);
        journal.recordVoid(sid, path);
      });
      await untilAborted(turn, signal);
    }
  }

  async #write(target: RecordTarget, identity: SessionIdentity, signal: AbortSignal): Promise<void> {
    const { journal, gate, clock } = this.#context;
    const { sid, path } = target;
    const open = journal.openUpload(sid, path);
    if (!open || !this.isBehind(open)) return;
    const parts = leadingParts(open.parts, open.layout);
    const foundAtMs = journal.session(sid)?.foundAtMs ?? clock.nowMs();
    const record = {
      ...recordOf(target, identity, open),
      schedule: writeSchedule(clock.nowMs() - foundAtMs, this.#everyMs),
      parts: [...parts],
    };
    const first = open.resume ? { etag: open.resume.etag } : { absent: true as const };
    const receipt = await gate.through(signal, sid, () =>
      replaceRecord(this.#context, identity, record, first, signal),
    );
    if (!receipt) return;
    journal.recordResume(sid, path, open.uploadId, { etag: receipt.etag, parts: parts.length });
  }

  /**
   * A record may be there that the journal knows nothing of, so the bucket is asked. Where a void one is never taken, the
   * parts are given up all the same.
   */
  async #makeVoid(target: RecordTarget, open: UploadRecord, signal: AbortSignal): Promise<void> {
    const { gate, journal, store } = this.#context;
    const identity = journal.session(target.sid)?.identity;
    if (!identity || leadingParts(open.parts, open.layout).length === 0) return;
    const record = { ...recordOf(target, identity, open), parts: [] };
    try {
      const done = await gate.through(signal, target.sid, async () => {
        const found = await store.find(keyOf(this.#context, identity, record), signal);
        if (found && isOurs(found, identity))
          await replaceRecord(this.#context, identity, record, { etag: found.etag }, signal);
        return true;
      });
      if (!done) throw cancelled(`giving up what was sent of ${JSON.stringify(open.key)}`);
    } catch (error) {
      const isNeverTaken = error instanceof Failure && error.kind === 'permanent';
      if (!isNeverTaken && !(error instanceof IdentityTaken)) throw error;
    }
  }
}

/** Whoever has the turn before may wait for longer than we may. */
async function untilAborted(turn: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(cancelled('making what names parts that were given up void'));
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    await Promise.race([turn, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

type RecordTarget = Pick<PartTarget, 'sid' | 'path' | 'contentType' | 'previous'>;

function turnOf({ sid, path }: Pick<PartTarget, 'sid' | 'path'>): string {
  return `${sid}\0${path}`;
}

function recordOf(
  { path, contentType, previous }: RecordTarget,
  { id }: SessionIdentity,
  { key, uploadId, token, checksum, layout }: UploadRecord,
): Omit<ResumeRecord, 'parts'> {
  return {
    version: 1,
    session: id,
    path: displayPath(path),
    key,
    uploadId,
    ...(token !== undefined && { token }),
    contentType,
    checksum,
    layout,
    condition: previous ? { etag: previous.etag } : { absent: true },
  };
}

function keyOf({ keyTemplate }: ShippingContext, identity: SessionIdentity, { path }: ResumeRecord): string {
  return resumeKey(keyTemplate, identity.startedAtMs, identity.id, path);
}

/** Over what is there, as long as it is this session's. */
async function replaceRecord(
  context: ShippingContext,
  identity: SessionIdentity,
  record: ResumeRecord,
  first: PutCondition,
  signal: AbortSignal,
): Promise<Receipt> {
  const { store } = context;
  const key = keyOf(context, identity, record);
  const source = bytesSource(Buffer.from(renderResumeRecord(record)));
  const metadata = objectMetadata(context, identity);
  let condition = first;
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await store.put({ key, source, contentType: 'application/json', metadata, condition }, signal);
    } catch (error) {
      if (!(error instanceof Conflict)) throw error;
      if (conflicts >= conflictsMax)
        throw new Failure({ kind: 'transient', code: 'Conflict', attempted: error.message, cause: error });
      const found = await store.find(key, signal);
      if (found && !isOurs(found, identity)) throw new IdentityTaken(key);
      condition = found ? { etag: found.etag } : { absent: true };
    }
  }
}
