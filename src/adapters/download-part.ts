import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { Failure } from '../domain/failure.ts';
import type { ByteCheck, SaveRequest } from '../ports/download-directory.ts';
import { errnoOf } from './errno.ts';

const chunkBytes = 1024 * 1024;
/** No link is followed, and no FIFO waited for. */
const carefully = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Whether the file at `path` is the one that was asked for; anything but a regular file is something else. */
export async function isWanted(
  path: string,
  request: SaveRequest,
  signal: AbortSignal,
): Promise<'wanted' | 'other' | 'absent'> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | carefully);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'absent';
    if (['ELOOP', 'EMLINK', 'ENXIO'].includes(errnoOf(error))) return 'other';
    throw error;
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile() || stat.size !== request.sizeBytes) return 'other';
    const check = request.check();
    await feed(file, request, check, signal);
    return check.finish() === undefined ? 'wanted' : 'other';
  } finally {
    await file.close();
  }
}

/**
 * The unfinished file, open to be gone on with. What lies there and is more than one file of our own making, a link to
 * something else for one, is not written to: it gives way to a new one.
 */
export async function openPart(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | carefully, 0o666);
    const stat = await file.stat();
    if (stat.isFile() && stat.nlink === 1) return file;
    await file.close();
  } catch (error) {
    if (!['ELOOP', 'EMLINK', 'ENXIO', 'EISDIR'].includes(errnoOf(error))) throw error;
  }
  await rm(path, { recursive: true, force: true });
  return await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o666);
}

/** Adds what is missing. What does not hold its check is emptied, so that the next try begins anew. */
export async function fillPart(
  file: FileHandle,
  request: SaveRequest,
  doing: string,
  signal: AbortSignal,
): Promise<void> {
  const { sizeBytes } = request;
  if ((await file.stat()).size > sizeBytes) await file.truncate(0);
  const check = request.check();
  let position = await feed(file, request, check, signal);
  if (position < sizeBytes) {
    for await (const chunk of await request.open(position)) {
      signal.throwIfAborted();
      if (position + chunk.length > sizeBytes) throw await refused(file, `${doing}: more came than it has`);
      await writeAt(file, chunk, position);
      check.update(chunk);
      position += chunk.length;
      request.onProgress(position, 'destination');
    }
  }
  if (position < sizeBytes)
    throw new Failure({
      kind: 'transient',
      code: 'IncompleteBody',
      attempted: `${doing}: the answer ended after ${position} of ${sizeBytes} bytes`,
    });
  const wrong = check.finish();
  if (wrong !== undefined) throw await refused(file, `${doing}: ${wrong}`);
}

/** Every byte that is there already. */
async function feed(
  file: FileHandle,
  request: SaveRequest,
  check: ByteCheck,
  signal: AbortSignal,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, request.sizeBytes)));
  for (let position = 0; ; ) {
    signal.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return position;
    check.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
    request.onProgress(position, 'disk');
  }
}

async function refused(file: FileHandle, attempted: string): Promise<Failure> {
  await file.truncate(0);
  return new Failure({ kind: 'transient', code: 'BadDigest', attempted });
}

async function writeAt(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    done += (await file.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
  }
}
