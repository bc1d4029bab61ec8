import { afterEach, beforeEach, expect } from 'vitest';
import type { FileRecord, Journal, NewFile, SessionRecord, Shipment } from '../../src/ports/journal.ts';
import {
  companion,
  folder,
  identityOf,
  type JournalUnderTest,
  logOf,
  newSession,
  receiptOf,
  workOf,
} from '../support/journal.ts';

/** An empty journal for each test of the surrounding `describe`, and the short ways to a state that a test begins with. */
export interface JournalBench {
  /** Another one after `reopen`: not to be kept. */
  readonly journal: Journal;
  /** As after a crash. */
  reopen(): void;
  /** A session with an identity, at the given root. */
  begun(root: string, id?: string): number;
  queued(root: string, ...files: NewFile[]): number;
  sent(sid: number, path: string, fingerprint?: string, newFingerprint?: string): void;
  /** Companions in the bucket, listed by a log that misses nothing, their session done. */
  shipped(root: string, ...paths: string[]): number;
  session(sid: number): SessionRecord | undefined;
  file(sid: number, path: string): FileRecord | undefined;
  state(sid: number, path: string): string | undefined;
  shipmentOf(sid: number): Shipment;
}

export function journalBench(make: () => JournalUnderTest): JournalBench {
  let under: JournalUnderTest;
  beforeEach(() => {
    under = make();
  });
  afterEach(() => under[Symbol.dispose]());

  const bench: JournalBench = {
    get journal() {
      return under.journal;
    },
    reopen: () => {
      under.reopen();
    },
    begun: (root, id = root) => {
      const { sid } = bench.journal.begin(newSession(root));
      bench.journal.freeze(sid, identityOf(id));
      return sid;
    },
    queued: (root, ...files) => {
      const sid = bench.begun(root);
      bench.journal.enqueue(sid, workOf(files));
      return sid;
    },
    sent: (sid, path, fingerprint = 'f1', newFingerprint = fingerprint) =>
      bench.journal.recordUploaded(sid, path, {
        fingerprint,
        newFingerprint,
        receipt: receiptOf(`e-${path}`),
      }),
    shipped: (root, ...paths) => {
      const sid = bench.queued(root, ...paths.map((path) => companion(path)));
      for (const path of paths) bench.sent(sid, path);
      bench.journal.recordLog(sid, logOf(1, paths));
      expect(bench.journal.finish(bench.shipmentOf(sid))).toBe(true);
      return sid;
    },
    session: (sid) => bench.journal.sessions(folder).find((one) => one.sid === sid),
    file: (sid, path) => bench.journal.files(sid).find((one) => one.path === path),
    state: (sid, path) => bench.file(sid, path)?.state,
    shipmentOf: (sid) => {
      const shipment = bench.journal.shipment(sid);
      if (!shipment) throw new Error(`session ${sid} has nothing to ship`);
      return shipment;
    },
  };
  return bench;
}
