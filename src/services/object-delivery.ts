import { createHash } from 'node:crypto';
import { contentTypeOf } from '../domain/content-type.ts';
import { Conflict } from '../domain/failure.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { OpenFile } from '../ports/file-source.ts';
import type { FileRecord, Journal, Shipment } from '../ports/journal.ts';
import type { PutCondition, Receipt, StoredObject } from '../ports/object-store.ts';
import { KnownLogs, LogOvertaken } from './known-logs.ts';
import { cancelled } from './part-proof.ts';
import type { PartTransfer } from './part-transfer.ts';
import { IdentityTaken, isOurs, objectMetadata, type ShippingContext } from './shipping-context.ts';

/** One try to bring an open file to its key. */
export interface Delivery {
  readonly shipment: Shipment;
  readonly file: FileRecord;
  readonly opened: OpenFile;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/** `found`: the bucket had it already. */
export interface Delivered {
  readonly receipt: Receipt;
  readonly found: boolean;
}

const conflictsMax = 3;
/** One that is forgotten costs one more look at its log. */
const metMax = 1000;

/**
 * An object with exactly a file's bytes: looks what is there when that is in doubt, and sends them when it is something
 * else, in parts when they are many. Every request passes the gate by itself.
 *
 *   invariant: an object that was met where no receipt speaks of it is replaced only after the log in the bucket was
 *     looked at and written anew, so that no log lists it: also one that another host wrote for us meanwhile
 */
export class ObjectDelivery {
  readonly #context: ShippingContext;
  readonly #parts: PartTransfer | undefined;
  readonly #logs: KnownLogs;
  /** ETags of objects that a log may list, by whose file is to replace them. A new process meets them anew. */
  readonly #met = new Map<string, string>();

  constructor({ context, parts }: { context: ShippingContext; parts: PartTransfer | undefined }) {
    this.#context = context;
    this.#parts = parts;
    this.#logs = new KnownLogs(context);
  }

  /** Throws Failure, FileFailure, Conflict when others keep writing there, and IdentityTaken. */
  async deliver(delivery: Delivery): Promise<Delivered> {
    const { file } = delivery;
    this.#logs.note(delivery.shipment);
    let condition: PutCondition = file.receipt ? { etag: file.receipt.etag } : { absent: true };
    let known = file.uncertain ? await this.#find(delivery) : undefined;
    for (let conflicts = 0; ; conflicts++) {
      if (known) {
        const receipt = await this.#verify(delivery, known);
        if (receipt) return this.#arrived(delivery, { receipt, found: true });
        this.#assertUnlisted(delivery, known);
        condition = { etag: known.etag };
      }
      try {
        const receipt = await this.#send(delivery, condition);
        return this.#arrived(delivery, { receipt, found: false });
      } catch (error) {
        const isOver = error instanceof LogOvertaken || conflicts >= conflictsMax;
        if (!(error instanceof Conflict) || isOver) throw error;
        known = await this.#find(delivery);
        if (!known) condition = { absent: true };
      }
    }
  }

  #arrived({ shipment, file }: Delivery, delivered: Delivered): Delivered {
    this.#met.delete(nameOf(shipment, file));
    return delivered;
  }

  /**
   * An object of ours that is neither the receipt's nor has our bytes was put there by a request whose answer was lost,
   * by an earlier life, or by another host that completed what we had sent: its log may list it. Throws Conflict until a
   * log was written since it was met, over the one that was there then.
   */
  #assertUnlisted({ shipment, file }: Delivery, { key, etag }: StoredObject): void {
    if (etag === file.receipt?.etag) return;
    const name = nameOf(shipment, file);
    if (this.#met.get(name) === etag && shipment.logEtag !== undefined && !shipment.logContested) return;
    this.#met.set(name, etag);
    const oldest = this.#met.keys().next().value;
    if (this.#met.size > metMax && oldest !== undefined) this.#met.delete(oldest);
    this.#context.journal.contestLog(shipment.sid);
    throw new Conflict(
      key,
      'an object of this session is there that may be listed; its log is written first',
    );
  }

  #find(delivery: Delivery): Promise<StoredObject | undefined> {
    return this.#through(delivery, () => this.#context.store.find(delivery.file.key, delivery.signal));
  }

  async #verify(delivery: Delivery, found: StoredObject): Promise<Receipt | undefined> {
    const { shipment, file, opened, signal } = delivery;
    if (!isOurs(found, shipment.identity)) throw new IdentityTaken(found.key);
    const receipt = await this.#through(delivery, () => this.#context.store.verify(found, opened, signal));
    if (!receipt) return undefined;
    await opened.assertUnchanged();
    giveUpUnlessMadeOf(this.#context.journal, shipment.sid, file, found);
    return receipt;
  }

  async #send(delivery: Delivery, condition: PutCondition): Promise<Receipt> {
    const { shipment, file, opened, signal, onProgress } = delivery;
    const contentType = contentTypeOf(displayPath(file.path), opened.encoding);
    const metadata = objectMetadata(this.#context, shipment.identity);
    const { sid, identity } = shipment;
    const { key, path } = file;
    const assertKnown = async () => {
      if ('etag' in condition) await this.#logs.assertKnown(sid, key, signal);
    };
    // Packed, its size is known only afterwards: the store sends it in one go.
    if (this.#parts && opened.encoding === undefined && opened.sizeBytes > this.#parts.firstPartBytes) {
      const known = {
        sid,
        session: identity.id,
        path,
        key,
        metadata,
        contentType,
        beforeComplete: assertKnown,
      };
      const isThere = file.receipt && 'etag' in condition && condition.etag === file.receipt.etag;
      const target = isThere ? { ...known, previous: file.receipt } : known;
      return await this.#parts.finish(target, opened, opened.sizeBytes, condition, signal, onProgress);
    }
    const request = { key, source: opened, contentType, metadata, condition, onProgress };
    const receipt = await this.#through(delivery, async () => {
      await assertKnown();
      return await this.#context.store.put(request, signal);
    });
    this.#context.journal.giveUpUpload(sid, path);
    return receipt;
  }

  async #through<T>({ shipment, file, signal }: Delivery, request: () => Promise<T>): Promise<T> {
    const { gate } = this.#context;
    const answer = await gate.through(signal, shipment.sid, async () => ({ value: await request() }));
    if (!answer) throw cancelled(`shipping ${JSON.stringify(file.key)}`);
    return answer.value;
  }
}

function nameOf({ sid }: Shipment, { path, key }: FileRecord): string {
  return `${sid}\0${path}\0${key}`;
}

/** Parts that did not become the object that was found stay in the bucket until they are freed. */
function giveUpUnlessMadeOf(journal: Journal, sid: number, { path }: FileRecord, found: StoredObject): void {
  const open = journal.openUpload(sid, path);
  if (!open) return;
  const isMadeOf =
    open.token === undefined
      ? etagOfParts(open.parts.map((part) => part.etag)) === found.etag
      : found.metadata['upload'] === open.token;
  if (!isMadeOf) journal.giveUpUpload(sid, path);
}

/** The MD5 of the parts' MD5s, `-`, and how many: the ETag of an object in parts where it is not encrypted with KMS. */
function etagOfParts(etags: readonly string[]): string {
  const digests = etags.map((etag) => Buffer.from(etag, 'hex'));
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${etags.length}`;
}
