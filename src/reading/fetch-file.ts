import { Failure } from '../domain/failure.ts';
import type { CompanionEntry } from '../domain/session-log.ts';
import type { DownloadDirectory, SaveRequest } from '../ports/download-directory.ts';
import { byteCheck } from './byte-check.ts';
import type { Reading } from './reading.ts';

const triesMax = 5;
const firstPauseMs = 500;
/** What no second try changes, although another one of the agent's might. */
const final = new Set(['NoSuchKey', 'PreconditionFailed']);

/**
 * One object as a file: what is there already is not fetched again, and a connection that breaks is taken up where it
 * broke, as long as it moves. Throws Failure.
 */
export async function fetchFile(
  { reader, clock }: Reading,
  entry: CompanionEntry,
  to: { readonly directory: DownloadDirectory; readonly path: string },
  onProgress: SaveRequest['onProgress'],
  signal: AbortSignal,
): Promise<'written' | 'there'> {
  const { key, bytes: sizeBytes, etag } = entry;
  let furthest = 0;
  const request = {
    path: to.path,
    sizeBytes,
    tag: `${key}\0${etag}`,
    check: () => byteCheck(entry),
    open: async (position: number) => (await reader.read(key, { position, etag }, signal)).body,
    onProgress: ((bytes, from) => {
      furthest = Math.max(furthest, bytes);
      onProgress(bytes, from);
    }) satisfies SaveRequest['onProgress'],
  };
  for (let tries = 1; ; tries += 1) {
    const before = furthest;
    try {
      return await to.directory.save(request, signal);
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'transient' || final.has(error.code)) throw error;
      if (furthest > before) tries = 1;
      if (tries >= triesMax) throw error;
      await clock.sleep(firstPauseMs * 2 ** tries * (0.5 + clock.random() / 2), signal);
    }
  }
}
