import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JournalHolder, openJournalFile } from '../../src/adapters/journal-file.ts';
import { createSqliteJournal } from '../../src/adapters/sqlite-journal.ts';
import type { Seal } from '../../src/domain/end-rule.ts';
import type { SessionDraft } from '../../src/domain/session-draft.ts';
import type { ParkedReason } from '../../src/ports/backlog.ts';
import type {
  FailedAttempt,
  Journal,
  NewFile,
  NewSession,
  NewWork,
  ParkedFile,
  SessionIdentity,
  ShippedLog,
  StoredReceipt,
} from '../../src/ports/journal.ts';

/** Whole values for what a test of the journal does not care about. */

export const folder = '/data/runs';
export const holder: JournalHolder = {
  pid: 4711,
  host: 'node-1',
  folder,
  startedAt: '2026-01-31T12:00:00.000Z',
};
export const evidence: Seal = { status: 'completed', by: 'result.json', evidence: true };
export const silence: Seal = { status: 'stalled', by: 'no change for 7200 s', evidence: false };

export function newSession(root: string, with_: Partial<NewSession> = {}): NewSession {
  return {
    folder,
    root,
    kind: 'directory',
    directoryIdentity: `i-${root}`,
    phase: 'open',
    foundAtMs: 1_000,
    ...with_,
  };
}

export function identityOf(id: string, with_: Partial<SessionIdentity> = {}): SessionIdentity {
  return {
    id,
    key: `training-logs/2026/01/${id}.log`,
    startedAtMs: Date.UTC(2026, 0, 31),
    startedBy: 'session.json',
    origin: `origin-${id}`,
    unique: false,
    warnings: [],
    ...with_,
  };
}

export function draftOf(status: SessionDraft['status'] = 'completed'): SessionDraft {
  return {
    name: 'run',
    status,
    agent: { version: '0.1.0', host: 'node-1' },
    sources: [],
    inferred: { source: 'file times', facts: {}, provenance: {} },
    documents: {},
    excluded: { files: 0, bytes: 0 },
    checkpoints: [],
    missing: [],
    warnings: [],
  };
}

export function companion(path: string, fingerprint = 'f1', with_: Partial<NewFile> = {}): NewFile {
  return {
    path,
    role: 'companion',
    key: `companions/${path}`,
    sizeBytes: 10,
    fingerprint,
    claim: undefined,
    ...with_,
  };
}

/** A file that is not, or not now, to be sent. */
export function otherFile(path: string, fingerprint = 'f1'): NewFile {
  return companion(path, fingerprint, { role: 'other', key: '' });
}

export function workOf(files: readonly NewFile[], with_: Partial<NewWork> = {}): NewWork {
  return { seal: evidence, shape: 's1', draft: draftOf(), files, ...with_ };
}

export function receiptOf(etag: string, with_: Partial<StoredReceipt> = {}): StoredReceipt {
  return {
    etag,
    sizeBytes: 10,
    crc32: 'AAAAAA==',
    device: '1',
    receivedAtMs: 5_000,
    contentType: 'text/plain',
    ...with_,
  };
}

export function logOf(
  revision: number,
  listed: readonly string[],
  with_: Partial<ShippedLog> = {},
): ShippedLog {
  return {
    revision,
    etag: `log-${revision}`,
    digest: `d${revision}`,
    missing: 0,
    certain: true,
    listed,
    ...with_,
  };
}

export const denied: ParkedReason = {
  reason: 'unreadable',
  code: 'EACCES',
  cause: 'opening "a": EACCES',
  remedy: 'chmod o+r',
};

export function parkedOf(with_: Partial<ParkedFile> = {}): ParkedFile {
  return { ...denied, fingerprint: 'f1', uncertain: false, ...with_ };
}

export function failedOf(with_: Partial<FailedAttempt> = {}): FailedAttempt {
  return { ...parkedOf(), attempts: 1, dueAtMs: 0, ...with_ };
}

export interface JournalUnderTest {
  journal: Journal;
  /** As after a crash: without any farewell but the lock's. */
  reopen(): Journal;
  [Symbol.dispose](): void;
}

/** The real journal in a fresh state directory, which is removed with it. */
export function sqliteJournal(): JournalUnderTest {
  const directory = mkdtempSync(join(tmpdir(), 'trainlogd-journal-'));
  const open = () => createSqliteJournal(openJournalFile(directory, holder));
  const under: JournalUnderTest = {
    journal: open(),
    reopen() {
      under.journal.close();
      under.journal = open();
      return under.journal;
    },
    [Symbol.dispose]() {
      under.journal.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return under;
}
