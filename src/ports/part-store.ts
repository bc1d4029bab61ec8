import type { PartLayout, PartRange } from '../domain/part-layout.ts';
import type { ByteSource, PutCondition, Receipt, StoredObject } from './stored-object.ts';

/**
 * Objects that are sent in parts. Contract: test/contracts/part-store.ts.
 *
 * - Nothing is visible before `complete`. A part that `send` returned for stays until then, whoever dies.
 * - `complete` needs nothing that is not in its arguments: any host can end an upload from what was recorded of it.
 * - No part is ever listed, and an abort may be denied: least policy.
 * - Errors are `Failure`, `Conflict`, `UploadGone`, `PartsRefused`, or what the source threw.
 */
export interface PartStore {
  /**
   * For new uploads; another one once the destination refused parts that were cut like this. Objects up to the first
   * part's size are sent whole.
   */
  readonly layout: PartLayout;

  begin(request: BeginRequest, signal: AbortSignal): Promise<BegunUpload>;

  /** Sends one part of `source`; sent again, the later one counts. */
  send(
    upload: PartUpload,
    part: PartRange,
    source: ByteSource,
    signal: AbortSignal,
    onProgress?: (sentBytes: number) => void,
  ): Promise<SentPart>;

  /**
   * Makes a part of bytes that an object of ours already holds, without sending them. The caller knows these bytes and
   * gives their checksum. Undefined where the destination does not do that or does not allow it; Conflict where `from`
   * is not there any more.
   */
  copy(
    upload: PartUpload,
    part: PartRange,
    from: StoredObject,
    crc32: string,
    signal: AbortSignal,
  ): Promise<SentPart | undefined>;

  /**
   * Shows the object, made of exactly these parts, in order. An answer that leaves it open (lost, late, an error inside
   * a success, said twice) is settled by looking what is there: a receipt means that the whole object is there. Throws
   * UploadGone when the destination does not know the upload any more and the object is not there either, PartsRefused
   * when it makes no object of parts that it took, and Conflict also when the same bytes are there as another's object.
   */
  complete(
    upload: UploadToComplete,
    parts: readonly SentPart[],
    condition: PutCondition,
    signal: AbortSignal,
  ): Promise<Completed>;

  /** Frees the parts. False where that is denied: the bucket's lifecycle does it then. An unknown upload is freed. */
  abort(upload: Pick<PartUpload, 'key' | 'uploadId'>, signal: AbortSignal): Promise<boolean>;
}

export interface BeginRequest {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What proves the bytes: CRC-32 of the whole object, kept by the server, or Content-MD5 and the ETag made of MD5s. */
export type PartChecksum = 'crc32' | 'md5';

export interface BegunUpload {
  readonly uploadId: string;
  readonly checksum: PartChecksum;
  readonly layout: PartLayout;
  /**
   * Drawn for this upload and kept as `upload` in the metadata of the object that it becomes, which so tells what it was
   * made by, also where its ETag tells nothing of its bytes. Uploads of earlier versions have none.
   */
  readonly token?: string | undefined;
}

export interface Completed extends Receipt {
  /** Another upload of the same bytes made the object: the parts of this one are still there. */
  readonly byOther?: true;
}

export interface PartUpload extends BegunUpload {
  readonly key: string;
}

export interface UploadToComplete extends PartUpload {
  /** `origin` of the metadata that the upload was begun with: what is there without it is another's object. */
  readonly origin?: string | undefined;
}

export interface SentPart {
  readonly number: number;
  readonly sizeBytes: number;
  /** As the server gave it, without quotes. */
  readonly etag: string;
  /** Of the bytes as read from disk, as S3 writes it. */
  readonly crc32: string;
}
