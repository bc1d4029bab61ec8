import type { WatchedPath } from '../domain/watched-path.ts';

/**
 * A directory that objects are fetched into. Nothing is ever written outside it, no link in it is followed, and no file
 * that is there already is changed: it is the wanted one, or it stays as it is. Errors of the disk are `Failure`, those
 * of `open` are passed on unchanged.
 */
export interface DownloadDirectory {
  /** Absolute, for people. */
  readonly directory: string;
  /** `there`: the file is there already, with these bytes. What arrived before an error stays for the next try. */
  save(request: SaveRequest, signal: AbortSignal): Promise<'written' | 'there'>;
  /** Removes what is left of earlier tries, once nothing is to be fetched any more. */
  clean(): Promise<void>;
}

export interface SaveRequest {
  /** Relative; already found to be a path that stays below. */
  readonly path: WatchedPath;
  readonly sizeBytes: number;
  /** Names the very bytes: what was begun under another tag is not gone on with. */
  readonly tag: string;
  /** A new one for each run over the bytes. */
  readonly check: () => ByteCheck;
  readonly open: (position: number) => Promise<AsyncIterable<Buffer>>;
  /** Bytes that are there, those of earlier tries included; and where the last of them came from. */
  readonly onProgress: (bytes: number, from: BytesFrom) => void;
}

/** `disk`: of an earlier try, read again to be checked. */
export type BytesFrom = 'disk' | 'destination';

export interface ByteCheck {
  update(chunk: Buffer): void;
  /** What is wrong with the bytes; undefined: nothing. */
  finish(): string | undefined;
}
