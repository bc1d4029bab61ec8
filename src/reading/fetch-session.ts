import { createHash } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import { foreignKey } from '../domain/object-key.ts';
import { savedLogPath, savedPath } from '../domain/saved-path.ts';
import type { CompanionEntry, SessionLog } from '../domain/session-log.ts';
import type { BytesFrom, DownloadDirectory, SaveRequest } from '../ports/download-directory.ts';
import { fetchFile } from './fetch-file.ts';
import { inOrder } from './in-order.ts';
import type { Reading } from './reading.ts';

/** What became of one file that the log lists. */
export type FileFetch =
  | {
      readonly path: string;
      /** Below the directory. */
      readonly savedAs: string;
      readonly bytes: number;
      /** `there`: it was, with these bytes. */
      readonly outcome: 'written' | 'there';
    }
  | {
      readonly path: string;
      readonly bytes: number;
      readonly outcome: 'failed';
      readonly code: string;
      readonly cause: string;
      readonly remedy: string;
    };

export interface FetchRequest {
  readonly log: SessionLog;
  /** The log as it is in the bucket. */
  readonly bytes: Buffer;
  readonly directory: DownloadDirectory;
  /** Bytes of this file that are there. */
  readonly onProgress: (path: string, bytes: number, from: BytesFrom) => void;
}

const filesAtOnce = 4;

/**
 * Every file that the log lists, in its order, the log itself last: where that lies, all was tried. Throws Failure where
 * the destination cannot be asked any more, and when it is cancelled.
 */
export async function* fetchSession(
  reading: Reading,
  { log, bytes, directory, onProgress }: FetchRequest,
  signal: AbortSignal,
): AsyncGenerator<FileFetch> {
  const fetch = (entry: CompanionEntry, until: AbortSignal) =>
    fetchCompanion(reading, entry, directory, (count, from) => onProgress(entry.path, count, from), until);
  yield* inOrder(log.companions, filesAtOnce, fetch, signal);
  yield await saveLog(bytes, savedLogPath(log.companions), directory, signal);
}

async function fetchCompanion(
  reading: Reading,
  entry: CompanionEntry,
  directory: DownloadDirectory,
  onProgress: SaveRequest['onProgress'],
  signal: AbortSignal,
): Promise<FileFetch> {
  const { path, bytes, key } = entry;
  const saved = savedPath(entry);
  const refusal = 'refused' in saved ? saved.refused : foreignKey(reading.keyTemplate, key);
  if ('refused' in saved || refusal !== undefined) {
    const cause = `${refusal}: nothing was fetched`;
    return { path, bytes, outcome: 'failed', code: 'Refused', cause, remedy: 'look what wrote this log' };
  }
  try {
    const to = { directory, path: saved.path };
    const outcome = await fetchFile(reading, entry, to, onProgress, signal);
    return { path, savedAs: saved.path, bytes, outcome };
  } catch (error) {
    return failed(error, { path, bytes }, reading.reader.restoreCommand(key));
  }
}

async function saveLog(
  bytes: Buffer,
  path: string,
  directory: DownloadDirectory,
  signal: AbortSignal,
): Promise<FileFetch> {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const check = () => {
    const hash = createHash('sha256');
    return {
      update: (chunk: Buffer) => void hash.update(chunk),
      finish: () => (hash.digest('hex') === digest ? undefined : 'it is another log'),
    };
  };
  const request = {
    ...{ path, sizeBytes: bytes.length, tag: digest, check },
    open: async (position: number) => bodyOf(bytes.subarray(position)),
    onProgress: () => undefined,
  };
  const file = { path, savedAs: path, bytes: bytes.length };
  try {
    return { ...file, outcome: await directory.save(request, signal) };
  } catch (error) {
    return failed(error, file, undefined);
  }
}

async function* bodyOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function failed(
  error: unknown,
  { path, bytes }: { readonly path: string; readonly bytes: number },
  restore: string | undefined,
): FileFetch {
  if (!(error instanceof Failure) || error.kind === 'blocked' || error.kind === 'cancelled') throw error;
  const { code, message: cause } = error;
  return { path, bytes, outcome: 'failed', code, cause, remedy: remedyOf(error, restore) };
}

function remedyOf({ code, remedy }: Failure, restore: string | undefined): string {
  if (code === 'InvalidObjectState' && restore !== undefined)
    return `restore it, and run this again some hours later: ${restore}`;
  if (code === 'NoSuchKey')
    return 'trainlogd verify tells what else is lost; a versioned bucket may still have it';
  if (code === 'PreconditionFailed')
    return 'a session that goes on is written anew: run this again; else look what replaced it';
  return remedy ?? 'run this again: what arrived is kept';
}
