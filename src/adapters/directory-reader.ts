import { closeSync, type Dirent } from 'node:fs';
import { access, lstat, readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Failure } from '../domain/failure.ts';
import type {
  ListedObject,
  ListManner,
  ObjectReader,
  OpenedObject,
  ReadFrom,
} from '../ports/object-reader.ts';
import { withParent } from './directory-descent.ts';
import { directoryFailure, openFailure } from './directory-failure.ts';
import { DirectoryLayout, privateName, splitKey } from './directory-layout.ts';
import { type OpenObject, openObject } from './directory-object.ts';
import { errnoOf, meansVanished } from './errno.ts';
import { threadedCalls } from './folder-calls.ts';
import { childOf, type DirectoryHandle, openBelow, openFolder } from './folder-handle.ts';
import { ObjectDigest } from './object-digest.ts';

const pageSize = 1000;
const chunkBytes = 1024 * 1024;

export function createDirectoryReader({ path }: { readonly path: string }): ObjectReader {
  return new DirectoryReader(path);
}

/** Objects as files below a directory. Nothing is written, no link is followed. */
class DirectoryReader implements ObjectReader {
  readonly name: string;
  readonly #root: string;
  readonly #layout: DirectoryLayout;

  constructor(root: string) {
    this.name = pathToFileURL(root).href;
    this.#root = root;
    this.#layout = new DirectoryLayout(root);
  }

  async *pages(
    prefix: string,
    how: ListManner,
    signal: AbortSignal,
  ): AsyncGenerator<readonly ListedObject[]> {
    await this.#assertThere();
    const limit = how.limit ?? Number.POSITIVE_INFINITY;
    const doing = `listing ${JSON.stringify(prefix)} in ${this.name}`;
    let page: ListedObject[] = [];
    let count = 0;
    try {
      signal.throwIfAborted();
      for await (const object of this.#below(prefix, how, signal)) {
        page.push(object);
        count += 1;
        if (count >= limit) break;
        if (page.length < pageSize) continue;
        yield page;
        page = [];
      }
    } catch (error) {
      throw directoryFailure(error, doing, signal);
    }
    yield page;
  }

  async #assertThere(): Promise<void> {
    try {
      await access(this.#root);
    } catch (error) {
      throw openFailure(error, this.#root);
    }
  }

  /** In byte order of the keys, in which `a.b` comes before `a/b`. */
  async *#below(prefix: string, how: ListManner, signal: AbortSignal): AsyncGenerator<ListedObject> {
    const names = prefix.split('/');
    const start = prefix.slice(0, prefix.length - (names.at(-1) ?? '').length);
    const at = await this.#openStart(names.slice(0, -1));
    if (at === undefined) return;
    const keysIn = (key: string) => key.startsWith(prefix) || prefix.startsWith(key);
    yield* this.#walk(at, start, { ...how, prefix, keysIn }, signal);
  }

  async #openStart(names: readonly string[]): Promise<DirectoryHandle | undefined> {
    let at = await openFolder(this.#root, threadedCalls);
    for (const name of names) {
      try {
        if (/^\.{0,2}$/.test(name)) throw Object.assign(new Error('no name'), { code: 'ENOENT' });
        const below = await openBelow(at, name, threadedCalls);
        closeSync(at.fd);
        at = below;
      } catch (error) {
        closeSync(at.fd);
        if (meansVanished(errnoOf(error))) return undefined;
        throw error;
      }
    }
    return at;
  }

  /** Takes `at` over. */
  async *#walk(
    at: DirectoryHandle,
    start: string,
    how: ListManner & { readonly prefix: string; readonly keysIn: (key: string) => boolean },
    signal: AbortSignal,
  ): AsyncGenerator<ListedObject> {
    try {
      const entries = await readdir(at.base, { withFileTypes: true });
      for (const { key, entry } of inKeyOrder(entries, start)) {
        signal.throwIfAborted();
        if (!how.keysIn(key) || key === `${privateName}/`) continue;
        if (entry.isFile() && key.startsWith(how.prefix)) {
          const object = await this.#listed(at, entry.name, key, how.etags ?? false);
          if (object) yield object;
        } else if (entry.isDirectory() && !(how.isFlat && key.startsWith(how.prefix))) {
          const below = await openIfThere(at, entry.name);
          if (below) yield* this.#walk(below, key, how, signal);
        }
      }
    } finally {
      closeSync(at.fd);
    }
  }

  async #listed(
    at: DirectoryHandle,
    name: string,
    key: string,
    etags: boolean,
  ): Promise<ListedObject | undefined> {
    const path = String(childOf(at, name));
    if (etags) {
      const found = await openObject(this.#layout, key, path);
      return found && (await provenObject(found));
    }
    const stat = await lstat(path).catch((error: unknown) => {
      if (meansVanished(errnoOf(error))) return undefined; // reason: removed since the directory was read
      throw error;
    });
    return stat && { key, sizeBytes: stat.size, etag: '', writtenAtMs: stat.mtimeMs, isArchived: false };
  }

  async read(key: string, { position, etag }: ReadFrom, signal: AbortSignal): Promise<OpenedObject> {
    const doing = `reading ${JSON.stringify(key)} in ${this.name}`;
    try {
      signal.throwIfAborted();
      await this.#assertThere();
      const found = await this.#open(key, splitKey(key, doing));
      if (found === undefined) throw refused('NoSuchKey', `${doing}: it is not there`);
      const { object } = found;
      if (etag !== undefined && object.etag !== etag) {
        await found.file.close();
        throw refused(
          'PreconditionFailed',
          `${doing}: another object is there than the one that was asked for`,
        );
      }
      const { sizeBytes } = object;
      return { etag: object.etag, sizeBytes, encryption: '', body: chunksOf(found, position, doing, signal) };
    } catch (error) {
      throw directoryFailure(error, doing, signal);
    }
  }

  async #open(key: string, names: readonly string[]): Promise<OpenObject | undefined> {
    try {
      return await withParent(this.#root, names, false, (path) => openObject(this.#layout, key, path));
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  restoreCommand(): undefined {
    return undefined;
  }

  async close(): Promise<void> {}
}

/** Directories with their `/`, as they stand in keys; names that are not UTF-8 are no keys of ours. */
function inKeyOrder(entries: readonly Dirent[], start: string): { key: string; entry: Dirent }[] {
  return entries
    .filter(({ name }) => !name.includes('\ufffd'))
    .map((entry) => {
      const key = start + entry.name + (entry.isDirectory() ? '/' : '');
      return { key, entry, bytes: Buffer.from(key) };
    })
    .sort((a, b) => Buffer.compare(a.bytes, b.bytes));
}

async function openIfThere(at: DirectoryHandle, name: string): Promise<DirectoryHandle | undefined> {
  try {
    return await openBelow(at, name, threadedCalls);
  } catch (error) {
    if (meansVanished(errnoOf(error))) return undefined;
    throw error;
  }
}

/** A directory has nobody who looks after its bytes: what is there is what they come to. */
async function provenObject({ file, object }: OpenObject): Promise<ListedObject> {
  try {
    const digest = new ObjectDigest();
    const chunk = Buffer.allocUnsafe(chunkBytes);
    for (let position = 0; ; ) {
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
      if (bytesRead === 0) break;
      digest.update(chunk.subarray(0, bytesRead));
      position += bytesRead;
    }
    const { key, sizeBytes, writtenAtMs } = object;
    const written = writtenAtMs === undefined ? {} : { writtenAtMs };
    return { key, sizeBytes, etag: digest.finish().etag, ...written, isArchived: false };
  } finally {
    await file.close();
  }
}

async function* chunksOf(
  { file }: OpenObject,
  from: number,
  doing: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  try {
    for (let position = from; ; ) {
      signal.throwIfAborted();
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  } catch (error) {
    throw directoryFailure(error, doing, signal);
  } finally {
    await file.close();
  }
}

function refused(code: string, attempted: string): Failure {
  return new Failure({ kind: 'transient', code, attempted });
}
