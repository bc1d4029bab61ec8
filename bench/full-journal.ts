import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openJournalFile } from '../src/adapters/journal-file.ts';
import { createSqliteJournal } from '../src/adapters/sqlite-journal.ts';
import type { SessionDraft } from '../src/domain/session-draft.ts';
import { directoryIdentity, fingerprintOf } from '../src/ports/file-source.ts';
import type { Journal } from '../src/ports/journal.ts';
import { shapeOf } from '../src/services/tracked-session.ts';

type Sources = SessionDraft['sources'];

/** A journal in which every session of the folder is shipped, as the program itself would have left it. */
export async function writeFullJournal(
  stateDirectory: string,
  folder: string,
  sources: Sources = [],
): Promise<void> {
  const holder = {
    pid: process.pid,
    host: 'bench',
    folder,
    startedAt: new Date(0).toISOString(),
  };
  const journal = createSqliteJournal(openJournalFile(stateDirectory, holder));
  try {
    journal.setMeta(`surveyed:${folder}`, new Date(0).toISOString());
    for (const [index, root] of readdirSync(folder).sort().entries()) {
      shipped(journal, folder, root, sources);
      if (index % 500 === 0) await journal.synced();
    }
    await journal.synced();
  } finally {
    journal.close();
  }
}

function shipped(journal: Journal, folder: string, root: string, sources: Sources): void {
  const statOf = (path: string) => {
    const stat = lstatSync(join(folder, path), { bigint: true });
    return { ...pick(stat), sizeBytes: Number(stat.size) };
  };
  const directory = join(folder, root);
  const files = readdirSync(directory)
    .sort()
    .map((path) => {
      const stat = statOf(join(root, path));
      return { path, fingerprint: fingerprintOf(stat), sizeBytes: stat.sizeBytes, device: String(stat.dev) };
    });
  const { sid } = journal.begin({
    folder,
    root,
    kind: 'directory',
    directoryIdentity: directoryIdentity(statOf(root)),
    phase: 'open',
    foundAtMs: 0,
  });
  journal.freeze(sid, identity(root));
  const key = (path: string) => `training-logs/companions/2026/01/${root}/${path}`;
  journal.enqueue(sid, {
    seal: { status: 'completed', by: '_SUCCESS', evidence: true },
    shape: shapeOf(files.map(({ path, fingerprint }) => [`${root}/${path}`, fingerprint])),
    draft: { ...draft(root), sources },
    files: files.map(({ path, fingerprint, sizeBytes }) => ({
      path,
      role: 'companion',
      key: key(path),
      sizeBytes,
      fingerprint,
      claim: undefined,
    })),
  });
  for (const { path, fingerprint, sizeBytes, device } of files) {
    const contentType = 'application/x-ndjson';
    const receipt = {
      etag: 'e'.repeat(32),
      sizeBytes,
      crc32: 'AAAAAA==',
      device,
      receivedAtMs: 0,
      contentType,
    };
    journal.recordUploaded(sid, path, { fingerprint, newFingerprint: fingerprint, receipt });
  }
  const listed = files.map(({ path }) => path);
  journal.recordLog(sid, { revision: 1, etag: 'l', digest: 'd', missing: 0, certain: true, listed });
  const shipment = journal.shipment(sid);
  if (!shipment || !journal.finish(shipment)) throw new Error(`session ${root} could not be finished`);
}

function pick(stat: { dev: bigint; ino: bigint; mtimeNs: bigint; ctimeNs: bigint; birthtimeNs: bigint }) {
  const { dev, ino, mtimeNs, ctimeNs, birthtimeNs } = stat;
  return { dev, ino, mtimeNs, ctimeNs, birthtimeNs };
}

function identity(root: string) {
  return {
    id: root,
    key: `training-logs/2026/01/${root}.log`,
    startedAtMs: Date.UTC(2026, 0, 31),
    startedBy: 'inferred',
    origin: root,
    unique: true,
    warnings: [],
  };
}

function draft(name: string) {
  return {
    name,
    status: 'completed' as const,
    agent: { version: '0', host: 'bench' },
    sources: [],
    inferred: { source: 'file times', facts: {}, provenance: {} },
    documents: {},
    excluded: { files: 0, bytes: 0 },
    checkpoints: [],
    missing: [],
    warnings: [],
  };
}
