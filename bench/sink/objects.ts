import { createHash } from 'node:crypto';
import { combinePieces } from '../../src/domain/crc32-combine.ts';

/** What the sink remembers of one object: all but the bytes of large ones. */
export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
  readonly crc32: string | undefined;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly modified: Date;
  readonly body: Buffer | undefined;
}

export interface StoredPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly crc32: string | undefined;
}

export interface OpenUpload {
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parts: Map<number, StoredPart>;
}

/** Bodies are kept up to this size each, so that logs can be read back; all together up to `keptBytesMax`. */
export const keptBodyBytesMax = 256 * 1024;
const keptBytesMax = 512 * 1024 * 1024;

/** Every object in the order of its key's segments: a prefix is found without looking at the others. */
class Folder {
  readonly folders = new Map<string, Folder>();
  readonly objects = new Map<string, StoredObject>();
}

export class Objects {
  readonly #root = new Folder();
  readonly uploads = new Map<string, OpenUpload>();
  #keptBytes = 0;
  count = 0;
  bytes = 0;

  get(key: string): StoredObject | undefined {
    const { folder, name } = this.#locate(key);
    return folder?.objects.get(name);
  }

  put(object: StoredObject): void {
    const segments = object.key.split('/');
    const name = segments.pop() ?? '';
    let folder = this.#root;
    for (const segment of segments) {
      const next = folder.folders.get(segment) ?? new Folder();
      folder.folders.set(segment, next);
      folder = next;
    }
    const before = folder.objects.get(name);
    this.count += before ? 0 : 1;
    this.bytes += object.sizeBytes - (before?.sizeBytes ?? 0);
    this.#keptBytes -= before?.body?.length ?? 0;
    const keeps = object.body !== undefined && this.#keptBytes + object.body.length <= keptBytesMax;
    this.#keptBytes += keeps ? (object.body?.length ?? 0) : 0;
    folder.objects.set(name, keeps ? object : { ...object, body: undefined });
  }

  delete(key: string): void {
    const { folder, name } = this.#locate(key);
    const object = folder?.objects.get(name);
    if (!folder || !object) return;
    folder.objects.delete(name);
    this.count -= 1;
    this.bytes -= object.sizeBytes;
    this.#keptBytes -= object.body?.length ?? 0;
  }

  /** In the order of keys; at most `limit` of them behind `after`. */
  list(prefix: string, after: string, limit: number): StoredObject[] {
    const exact = limit === 1 && after === '' ? this.get(prefix) : undefined;
    if (exact) return [exact];
    const { folder, name } = this.#locate(prefix);
    const found: StoredObject[] = [];
    if (folder) collect(folder, name, found);
    found.sort((a, b) => (a.key < b.key ? -1 : 1));
    const from = after === '' ? 0 : found.findIndex(({ key }) => key > after);
    return from < 0 ? [] : found.slice(from, from + limit);
  }

  #locate(key: string): { folder: Folder | undefined; name: string } {
    const segments = key.split('/');
    const name = segments.pop() ?? '';
    let folder: Folder | undefined = this.#root;
    for (const segment of segments) folder = folder?.folders.get(segment);
    return { folder, name };
  }
}

function collect(folder: Folder, start: string, found: StoredObject[]): void {
  for (const [name, object] of folder.objects) if (name.startsWith(start)) found.push(object);
  for (const [name, below] of folder.folders) if (name.startsWith(start)) collect(below, '', found);
}

/** The ETag and the CRC-32 of an object made of parts, as S3 computes them from those of the parts. */
export function sumsOfParts(parts: readonly StoredPart[]): { etag: string; crc32: string | undefined } {
  const md5 = createHash('md5');
  for (const { etag } of parts) md5.update(Buffer.from(etag, 'hex'));
  const summed = parts.flatMap(({ sizeBytes, crc32 }) => (crc32 === undefined ? [] : [{ sizeBytes, crc32 }]));
  return {
    etag: `${md5.digest('hex')}-${parts.length}`,
    crc32: summed.length === parts.length ? combinePieces(summed) : undefined,
  };
}
