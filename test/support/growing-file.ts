import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import { eventually } from './eventually.ts';
import type { TestBucket } from './s3.ts';
import { requestsTo } from './s3-requests.ts';
import type { Variables } from './trainlogd.ts';

export const mebibyte = 1024 * 1024;
export const partBytes = 5 * mebibyte;

/** An agent in a hurry whose files grow in the bucket from the first part on. */
export const growing: Variables = {
  TRAINLOGD_WATCH_SETTLE: '50ms',
  TRAINLOGD_WATCH_RESCAN: '1s',
  TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: '1s',
  TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
};

/** As a trainer writes: in pieces, each other bytes. */
export class GrowingFile {
  readonly path: string;
  #bytes = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  async append(sizeBytes: number): Promise<void> {
    await mkdir(dirname(this.path), { recursive: true });
    const piece = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 8) piece.writeDoubleLE(this.#bytes.length + at + 0.5, at);
    await appendFile(this.path, piece);
    this.#bytes = Buffer.concat([this.#bytes, piece]);
  }

  /** Cut, and written anew with other bytes. */
  async rewrite(sizeBytes: number): Promise<void> {
    this.#bytes = Buffer.alloc(sizeBytes, 'rewritten ');
    await writeFile(this.path, this.#bytes);
  }
}

/** Requests that carried a part's bytes so far. */
export async function partsSent(bucket: TestBucket): Promise<number> {
  const requests = await requestsTo(bucket);
  return requests.filter(({ method, target, status }) => {
    return method === 'PUT' && target.includes('partNumber=') && status === 200;
  }).length;
}

/** How many parts another host would know of. */
export async function partsRecorded(bucket: TestBucket): Promise<number> {
  const found = await bucket.versions('training-logs/companions/');
  const record = found.find(({ key, isLatest }) => isLatest && key.includes('/.resume/'));
  if (!record) return 0;
  return readResumeRecord((await bucket.bytes(record.key)).toString())?.parts.length ?? 0;
}

export function untilRecorded(bucket: TestBucket, parts: number): Promise<number> {
  return eventually(
    async () => {
      const recorded = await partsRecorded(bucket);
      return recorded >= parts ? recorded : undefined;
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}
