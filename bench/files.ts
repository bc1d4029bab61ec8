import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** An hour ago: nothing of it will be taken for a file that is still being written. */
export const written = new Date(Date.now() - 3_600_000);

/** Bytes that do not compress, the same block again and again: what is measured must not be their making. */
export function makeLargeFile(file: string, sizeBytes: number): void {
  const block = randomBytes(4 * 1024 * 1024);
  const fd = openSync(file, 'w');
  for (let left = sizeBytes; left > 0; left -= block.length)
    writeSync(fd, block, 0, Math.min(left, block.length));
  closeSync(fd);
  utimesSync(file, written, written);
}

/** Takes no room on the disk: reads as zeros. */
export function makeSparseFile(file: string, sizeBytes: number): void {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, sizeBytes);
  closeSync(fd);
  utimesSync(file, written, written);
}

export interface SessionShape {
  readonly files: number;
  readonly fileBytes: number;
  /** Names that are UUIDs are ids by themselves. */
  readonly name?: (n: number) => string;
  /** Ended by evidence. */
  readonly ended?: boolean;
}

export function makeSessions(folder: string, count: number, shape: SessionShape): void {
  const name = shape.name ?? ((n: number) => `run-${String(n).padStart(6, '0')}`);
  for (let n = 0; n < count; n++) makeSession(join(folder, name(n)), shape);
}

export function makeSession(directory: string, { files, fileBytes, ended }: SessionShape): void {
  mkdirSync(directory, { recursive: true });
  for (let n = 0; n < files; n++) {
    const file = join(directory, `metrics-${n}.jsonl`);
    writeFileSync(file, randomBytes(fileBytes / 2).toString('hex'));
    utimesSync(file, written, written);
  }
  if (!ended) return;
  const marker = join(directory, '_SUCCESS');
  writeFileSync(marker, '');
  utimesSync(marker, written, written);
}
