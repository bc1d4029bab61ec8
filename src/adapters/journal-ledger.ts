import { pathToBytes, type WatchedPath } from '../domain/watched-path.ts';
import type { Ledger, NewUpload, UploadRecord } from '../ports/ledger.ts';
import type { PartChecksum, SentPart } from '../ports/part-store.ts';
import type { Queries } from './journal-queries.ts';
import { number, optionalText, path, type Row, text } from './journal-rows.ts';

export function ledgerQueries(queries: Queries): Ledger {
  const { statement, run, transaction } = queries;
  return {
    openUpload: (sid, at) => {
      const row = statement('SELECT * FROM uploads WHERE sid = ? AND path = ? AND abandoned = 0').get(
        sid,
        pathToBytes(at),
      );
      return row && uploadRecord(queries, row);
    },

    openUploads: (sid) =>
      statement('SELECT * FROM uploads WHERE sid = ? AND abandoned = 0 ORDER BY path')
        .all(sid)
        .map((row) => uploadRecord(queries, row)),

    beginUpload: (sid, at, upload) =>
      transaction(() => {
        giveUpUpload(queries, sid, at);
        insert(queries, sid, at, upload);
      }),

    recordPart: (sid, at, uploadId, part) =>
      run(
        `INSERT INTO parts (upload, number, size_bytes, etag, crc32)
         SELECT upload, ?, ?, ?, ? FROM uploads WHERE sid = ? AND path = ? AND upload_id = ? AND abandoned = 0
         ON CONFLICT (upload, number) DO UPDATE SET
           size_bytes = excluded.size_bytes, etag = excluded.etag, crc32 = excluded.crc32`,
        part.number,
        part.sizeBytes,
        part.etag,
        part.crc32,
        sid,
        pathToBytes(at),
        uploadId,
      ),

    recordResume: (sid, at, uploadId, resume) =>
      transaction(() => {
        const named = queries.returning(
          `UPDATE uploads SET resume_etag = ?, resume_parts = ?
           WHERE sid = ? AND path = ? AND upload_id = ? AND abandoned = 0 RETURNING upload`,
          resume.etag,
          resume.parts,
          sid,
          pathToBytes(at),
          uploadId,
        );
        if (named) recordVoid(queries, sid, at);
      }),

    closeUpload: (sid, at) => closeUpload(queries, sid, at),
    giveUpUpload: (sid, at) => transaction(() => giveUpUpload(queries, sid, at)),

    namedUploads: (sid) =>
      statement(
        `SELECT * FROM uploads WHERE sid = ? AND abandoned = 1 AND record_void = 0
           AND EXISTS (SELECT 1 FROM parts WHERE parts.upload = uploads.upload AND number = 1) ORDER BY path, upload`,
      )
        .all(sid)
        .map((row) => uploadRecord(queries, row)),
    recordVoid: (sid, at) => recordVoid(queries, sid, at),

    abandonedUploads: (limit) =>
      statement(
        `SELECT *, (SELECT COALESCE(SUM(size_bytes), 0) FROM parts WHERE parts.upload = uploads.upload) AS sent
         FROM uploads WHERE abandoned = 1 ORDER BY upload LIMIT ?`,
      )
        .all(limit)
        .map((row) => ({
          upload: number(row, 'upload'),
          key: text(row, 'key'),
          uploadId: text(row, 'upload_id'),
          sentBytes: number(row, 'sent'),
          beganAtMs: number(row, 'began_at_ms'),
        })),
    recordFreed: (upload) => run('DELETE FROM uploads WHERE upload = ? AND abandoned = 1', upload),

    uploadCounts: () => {
      const of = (abandoned: number) =>
        statement(
          `SELECT COUNT(DISTINCT uploads.upload) AS n, COALESCE(SUM(size_bytes), 0) AS bytes
           FROM uploads LEFT JOIN parts USING (upload) WHERE abandoned = ?`,
        ).get(abandoned) ?? {};
      const [open, abandoned] = [of(0), of(1)];
      return {
        open: number(open, 'n'),
        openBytes: number(open, 'bytes'),
        abandoned: number(abandoned, 'n'),
        abandonedBytes: number(abandoned, 'bytes'),
      };
    },
  };
}

/** Also in the transaction of whoever records that the object is there. */
export function closeUpload({ run }: Queries, sid: number, at: WatchedPath): void {
  run('DELETE FROM uploads WHERE sid = ? AND path = ? AND abandoned = 0', sid, pathToBytes(at));
}

/** An upload without parts costs nobody anything, but for the destination's own memory of it: freed as well. */
export function giveUpUpload({ run }: Queries, sid: number, at: WatchedPath): void {
  run('UPDATE uploads SET abandoned = 1 WHERE sid = ? AND path = ? AND abandoned = 0', sid, pathToBytes(at));
}

function recordVoid({ run }: Queries, sid: number, at: WatchedPath): void {
  run(
    'UPDATE uploads SET record_void = 1 WHERE sid = ? AND path = ? AND abandoned = 1 AND record_void = 0',
    sid,
    pathToBytes(at),
  );
}

/** All of a session but those of parked files. */
export function giveUpUploadsOf({ run }: Queries, sid: number): void {
  run(
    `UPDATE uploads SET abandoned = 1 WHERE sid = ? AND abandoned = 0
       AND path NOT IN (SELECT path FROM files WHERE files.sid = uploads.sid AND state = 'parked')`,
    sid,
  );
}

function insert({ run }: Queries, sid: number, at: WatchedPath, upload: NewUpload): void {
  run(
    `INSERT INTO uploads
       (sid, path, key, upload_id, checksum, first_part_bytes, doubles_every, file, began_at_ms, token)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    sid,
    pathToBytes(at),
    upload.key,
    upload.uploadId,
    upload.checksum,
    upload.layout.firstBytes,
    upload.layout.doublesEvery,
    upload.file,
    Math.round(upload.beganAtMs),
    upload.token ?? null,
  );
}

function uploadRecord({ statement }: Queries, row: Row): UploadRecord {
  const parts = statement('SELECT * FROM parts WHERE upload = ? ORDER BY number').all(number(row, 'upload'));
  const resumeEtag = row['resume_etag'];
  const token = optionalText(row, 'token');
  return {
    path: path(row, 'path'),
    key: text(row, 'key'),
    uploadId: text(row, 'upload_id'),
    checksum: text(row, 'checksum') as PartChecksum,
    layout: {
      firstBytes: number(row, 'first_part_bytes'),
      doublesEvery: number(row, 'doubles_every'),
    },
    file: text(row, 'file'),
    beganAtMs: number(row, 'began_at_ms'),
    ...(token !== undefined && { token }),
    parts: parts.map(sentPart),
    resume:
      typeof resumeEtag === 'string' ? { etag: resumeEtag, parts: number(row, 'resume_parts') } : undefined,
  };
}

function sentPart(row: Row): SentPart {
  return {
    number: number(row, 'number'),
    sizeBytes: number(row, 'size_bytes'),
    etag: text(row, 'etag'),
    crc32: text(row, 'crc32'),
  };
}
