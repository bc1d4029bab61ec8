import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { countParts, unfinishedUploads } from '../support/bucket-uploads.ts';
import type { TestBucket } from '../support/s3-bucket.ts';

export interface Unfinished {
  /** Known to the ledger: open, or given up and not freed. */
  readonly inLedger: number;
  /** Begun by a request whose answer nobody saw: without parts, without cost. */
  readonly unanswered: number;
  readonly problems: readonly string[];
}

export const nothingUnfinished: Unfinished = { inLedger: 0, unanswered: 0, problems: [] };

/** Holds what the server has of unfinished uploads against the ledger of a program that is not running. */
export async function auditUploads(bucket: TestBucket, state: string): Promise<Unfinished> {
  const ledger = readLedger(state);
  const problems = [...ledger].flatMap(([uploadId, { abandoned, key }]) =>
    abandoned ? [] : [`upload ${uploadId} of ${key} is still open in the ledger`],
  );
  let inLedger = 0;
  let unanswered = 0;
  for (const upload of await unfinishedUploads(bucket)) {
    if (ledger.has(upload.uploadId)) {
      inLedger += 1;
      continue;
    }
    const parts = await countParts(bucket, upload);
    if (parts === 0) unanswered += 1;
    else
      problems.push(`upload ${upload.uploadId} of ${upload.key} has ${parts} parts and is not in the ledger`);
  }
  return { inLedger, unanswered, problems };
}

function readLedger(state: string): Map<string, { key: string; abandoned: boolean }> {
  const database = new DatabaseSync(join(state, 'journal.sqlite'), { readOnly: true });
  try {
    const rows = database.prepare('SELECT upload_id, key, abandoned FROM uploads').all();
    return new Map(
      rows.map(({ upload_id, key, abandoned }) => [
        String(upload_id),
        { key: String(key), abandoned: abandoned === 1 },
      ]),
    );
  } finally {
    database.close();
  }
}
