import { createHash } from 'node:crypto';
import { contentTypeOf } from '../domain/content-type.ts';
import { Conflict } from '../domain/failure.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { OpenFile } from '../ports/file-source.ts';
import type { FileRecord, Journal, Shipment } from '../ports/journal.ts';
import type { PutCondition, Receipt, StoredObject } from '../ports/object-store.ts';
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

/**
 * An object with exactly a file's bytes: looks what is there when that is in doubt, and sends them when it is something
 * else, in parts when they are many. Every request passes the gate by itself.
 */
export class ObjectDelivery {
  readonly #context: ShippingContext;
  readonly #parts: PartTransfer | undefined;

  constructor({ context, parts }: { context: ShippingContext; parts: PartTransfer | undefined }) {
    this.#context = context;
    this.#parts = parts;
  }

  /** Throws Failure, FileFailure, Conflict when others keep writing there, and IdentityTaken. */
  async deliver(delivery: Delivery): Promise<Delivered> {
    const { file } = delivery;
    let condition: PutCondition = file.receipt ? { etag: file.receipt.etag } : { absent: true };
    let known = file.uncertain ? await this.#find(delivery) : undefined;
    for (let conflicts = 0; ; conflicts++) {
      if (known) {
        const receipt = await this.#verify(delivery, known);
        if (receipt) return { receipt, found: true };
        // A log that nobody knows of, of a lost journal, may list it: that one is found before anything is replaced.
        if (delivery.shipment.logEtag === undefined)
          throw new Conflict(known.key, 'an object of ours is there');
        condition = { etag: known.etag };
      }
      try {
        return { receipt: await this.#send(delivery, condition), found: false };
      } catch (error) {
        if (!(error instanceof Conflict) || conflicts >= conflictsMax) throw error;
        known = await this.#find(delivery);
        if (!known) condition = { absent: true };
      }
    }
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
    giveUpUnlessMadeOf(this.#context.journal, shipment.sid, file, receipt);
    return receipt;
  }

  async #send(delivery: Delivery, condition: PutCondition): Promise<Receipt> {
    const { shipment, file, opened, signal, onProgress } = delivery;
    const contentType = contentTypeOf(displayPath(file.path), opened.encoding);
    const metadata = objectMetadata(this.#context, shipment.identity);
    const { sid, identity } = shipment;
    const { key, path } = file;
    // Packed, its size is known only afterwards: the store sends it in one go.
    if (this.#parts && opened.encoding === undefined && opened.sizeBytes > this.#parts.firstPartBytes) {
      const known = { sid, session: identity.id, path, key, metadata, contentType };
      const isThere = file.receipt && 'etag' in condition && condition.etag === file.receipt.etag;
      const target = isThere ? { ...known, previous: file.receipt } : known;
      return await this.#parts.finish(target, opened, opened.sizeBytes, condition, signal, onProgress);
    }
    const request = { key, source: opened, contentType, metadata, condition, onProgress };
    const receipt = await this.#through(delivery, () => this.#context.store.put(request, signal));
    giveUpUnlessMadeOf(this.#context.journal, sid, file, receipt);
    return receipt;
  }

  async #through<T>({ shipment, file, signal }: Delivery, request: () => Promise<T>): Promise<T> {
    const { gate } = this.#context;
    const answer = await gate.through(signal, shipment.sid, async () => ({ value: await request() }));
    if (!answer) throw cancelled(`shipping ${JSON.stringify(file.key)}`);
    return answer.value;
  }
}

/** Parts that did not become the object stay in the bucket until they are freed. */
export function giveUpUnlessMadeOf(
  journal: Journal,
  sid: number,
  { path }: FileRecord,
  { etag }: Receipt,
): void {
  const open = journal.openUpload(sid, path);
  if (open && etagOfParts(open.parts.map((part) => part.etag)) !== etag) journal.giveUpUpload(sid, path);
}

/** The MD5 of the parts' MD5s, `-`, and how many: the ETag of an object in parts where it is not encrypted with KMS. */
function etagOfParts(etags: readonly string[]): string {
  const digests = etags.map((etag) => Buffer.from(etag, 'hex'));
  return `${createHash('md5').update(Buffer.concat(digests)).digest('hex')}-${etags.length}`;
}
