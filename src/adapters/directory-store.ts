import { pathToFileURL } from 'node:url';
import { Conflict, Failure } from '../domain/failure.ts';
import type { ByteSource, ObjectStore, PutRequest, Receipt, StoredObject } from '../ports/object-store.ts';
import { withParent } from './directory-descent.ts';
import { directoryFailure } from './directory-failure.ts';
import { DirectoryLayout, splitKey } from './directory-layout.ts';
import { type OpenObject, openObject } from './directory-object.ts';
import { DirectoryWriter } from './directory-writer.ts';
import { errnoOf } from './errno.ts';
import { digestSource } from './object-digest.ts';
import { digestPacked, isPacked } from './packed-stream.ts';
import { type WatchedSource, watchErrors } from './source-errors.ts';

export interface DirectoryStoreOptions {
  /** Absolute. Made when it is not there. */
  readonly path: string;
}

export function createDirectoryStore({ path }: DirectoryStoreOptions): ObjectStore {
  return new DirectoryStore(path);
}

/** Objects as files below a directory, under the same keys as in a bucket, to be read with ordinary tools. */
class DirectoryStore implements ObjectStore {
  readonly name: string;
  readonly createIsAtomic = true;
  readonly createSettleMs = 0;
  readonly parts = undefined;
  readonly #layout: DirectoryLayout;
  readonly #writer: DirectoryWriter;

  constructor(path: string) {
    this.name = pathToFileURL(path).href;
    this.#layout = new DirectoryLayout(path);
    this.#writer = new DirectoryWriter(this.#layout);
  }

  async find(key: string, signal: AbortSignal): Promise<StoredObject | undefined> {
    return await attempt('looking for', key, signal, (doing) =>
      this.#withObject(key, doing, signal, async (found) => found?.object),
    );
  }

  async get(
    key: string,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<{ object: StoredObject; bytes: Buffer }> {
    return await attempt('reading', key, signal, (doing) =>
      this.#withObject(key, doing, signal, async (found) => {
        if (found === undefined) throw gone(doing);
        if (found.object.sizeBytes > bytesMax) throw tooLarge(found.object.sizeBytes, bytesMax, doing);
        return { object: found.object, bytes: await found.file.readFile() };
      }),
    );
  }

  async verify(object: StoredObject, source: ByteSource, signal: AbortSignal): Promise<Receipt | undefined> {
    const { sizeBytes } = object;
    if (!isPacked(source) && source.sizeBytes !== sizeBytes) return undefined;
    const watched = watchErrors(source);
    return await attempt(
      'verifying',
      object.key,
      signal,
      async () => {
        const { etag, crc32 } = await (isPacked(watched.source)
          ? digestPacked(watched.source, signal)
          : digestSource(watched.source, signal));
        await watched.source.assertUnchanged();
        return etag === object.etag ? { etag, sizeBytes, crc32 } : undefined;
      },
      watched,
    );
  }

  async put(request: PutRequest, signal: AbortSignal): Promise<Receipt> {
    const watched = watchErrors(request.source);
    const write = (doing: string) => this.#writer.put({ ...request, source: watched.source }, doing, signal);
    return await attempt('writing', request.key, signal, write, watched);
  }

  async close(): Promise<void> {
    await this.#layout.close();
  }

  async #withObject<T>(
    key: string,
    doing: string,
    signal: AbortSignal,
    use: (found: OpenObject | undefined) => Promise<T>,
  ): Promise<T> {
    const names = splitKey(key, doing);
    signal.throwIfAborted();
    // Makes sure that the directory itself is there: below it, what is missing is only an object that is not there.
    await this.#layout.temporary();
    const found = await this.#open(key, names);
    try {
      return await use(found);
    } finally {
      await found?.file.close();
    }
  }

  async #open(key: string, names: readonly string[]): Promise<OpenObject | undefined> {
    try {
      return await withParent(this.#layout.root, names, false, (path) => openObject(this.#layout, key, path));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }
}

async function attempt<T>(
  verb: string,
  key: string,
  signal: AbortSignal,
  work: (doing: string) => Promise<T>,
  watched?: WatchedSource,
): Promise<T> {
  const doing = `${verb} ${JSON.stringify(key)}`;
  try {
    return await work(doing);
  } catch (error) {
    if (error instanceof Conflict || watched?.threw(error)) throw error;
    throw directoryFailure(error, doing, signal);
  }
}

function gone(doing: string): Failure {
  return new Failure({ kind: 'transient', code: 'NoSuchKey', attempted: `${doing}: it is no longer there` });
}

function tooLarge(sizeBytes: number, bytesMax: number, doing: string): Failure {
  return new Failure({
    kind: 'permanent',
    code: 'ObjectTooLarge',
    attempted: `${doing}: it has ${sizeBytes} bytes, ${bytesMax} are read at most`,
    remedy: 'look what wrote it: nothing that we read back is so large',
  });
}
