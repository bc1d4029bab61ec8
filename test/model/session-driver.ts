import { isListed } from '../../src/domain/compose-log.ts';
import type { Seal } from '../../src/domain/end-rule.ts';
import { advance, openSession, type SessionState } from '../../src/domain/session-machine.ts';
import type { FileRecord, Journal, Shipment } from '../../src/ports/journal.ts';
import {
  companion,
  draftOf,
  evidence,
  failedOf,
  identityOf,
  otherFile,
  parkedOf,
  receiptOf,
  silence,
} from '../support/journal.ts';

/** The bucket: objects by key, and logs by id with what they list. */
export interface Bucket {
  readonly objects: Map<string, string>;
  readonly logs: Map<
    string,
    { revision: number; isRunning: boolean; listed: Map<string, { key: string; etag: string }> }
  >;
}

const keyOf = (id: string, path: string) => `${id}/${path}`;

/** One session, seen to and shipped in the order that the services keep, one step at a time. */
export class SessionDriver {
  readonly sid: number;
  readonly #journal: () => Journal;
  readonly #bucket: Bucket;
  id: string;
  machine: SessionState = openSession;
  sending: FileRecord | undefined;
  hasArrived = false;

  constructor(journal: () => Journal, bucket: Bucket, root: string) {
    this.#journal = journal;
    this.#bucket = bucket;
    this.id = root;
    this.sid = journal().begin({
      folder: '/data/runs',
      root,
      kind: 'directory',
      directoryIdentity: root,
      phase: 'open',
      foundAtMs: 1,
    }).sid;
    journal().freeze(this.sid, identityOf(root));
  }

  get record() {
    const found = this.#journal()
      .sessions('/data/runs')
      .find(({ sid }) => sid === this.sid);
    if (!found) throw new Error(`session ${this.sid} is lost`);
    return found;
  }

  get shipment(): Shipment | undefined {
    return this.#journal().shipment(this.sid);
  }

  /** True when all that is there was queued. */
  look(disk: ReadonlyMap<string, string>, seal: Seal): boolean {
    const shape = JSON.stringify([...disk]);
    const before = this.machine;
    if (this.record.shape !== shape) this.machine = advance(before, { type: 'changed', nowMs: 0 });
    if (this.machine.at === 'open' && before.at !== 'open') {
      this.#journal().setPhase(this.sid, 'open');
      return false;
    }
    this.machine = advance(this.machine, { type: 'ended', seal, nowMs: 0 });
    this.machine = advance(this.machine, { type: 'settled' });
    if (this.machine.at !== 'assembling') return false;
    const files = [...disk].map(([path, version]) =>
      version.endsWith('?')
        ? otherFile(path, '')
        : companion(path, version, { key: keyOf(this.id, path), sizeBytes: version.length }),
    );
    this.#journal().enqueue(this.sid, { seal: this.machine.seal, shape, draft: draftOf(), files });
    this.machine = advance(this.machine, { type: 'enqueued' });
    return true;
  }

  /** Of a session that goes on: a log as it is, its files are left alone. */
  snapshot(): void {
    if (this.machine.at !== 'open') return;
    const draft = draftOf('running');
    this.#journal().enqueue(this.sid, { seal: undefined, shape: '', draft, files: [] });
  }

  /** A log is written; `isRecorded` false: the answer was lost. */
  writeLog(isRecorded = true): void {
    const shipment = this.shipment;
    if (!shipment || shipment.withdrawn || this.sending) return;
    this.#adopt(shipment);
    const files = this.#journal().files(this.sid).filter(isListed);
    const revision = (this.shipment?.revision ?? 0) + 1;
    const isRunning = shipment.draft.status === 'running';
    const digest = JSON.stringify([isRunning, ...files.map(({ path, receipt }) => [path, receipt?.etag])]);
    if (digest === this.shipment?.logDigest) return;
    const listed = new Map(files.map(({ path, key, receipt }) => [path, { key, etag: receipt?.etag ?? '' }]));
    this.#bucket.logs.set(this.id, { revision, isRunning, listed });
    if (isRecorded) this.#record(revision, digest, [...listed.keys()]);
  }

  /** A log that is there and was not recorded is taken for what it is, once one is to be written over it. */
  #adopt(shipment: Shipment): void {
    const there = this.#bucket.logs.get(this.id);
    if (!there || there.revision === shipment.revision || shipment.logDigest !== undefined) return;
    const rows = [...there.listed].map(([path, { key, etag }]) => ({ path, key, receipt: receiptOf(etag) }));
    this.#journal().adopt(this.sid, rows);
    this.#record(there.revision, '', [...there.listed.keys()]);
  }

  #record(revision: number, digest: string, listed: string[]): void {
    const etag = `${this.id}-${revision}`;
    this.#journal().recordLog(this.sid, { revision, etag, digest, missing: 0, certain: true, listed });
  }

  start(): void {
    if (this.sending || this.record.phase !== 'shipping') return;
    const next = () => this.#journal().pendingFiles(this.sid, 0, 1)[0];
    if (next()?.listed || (this.shipment?.revision ?? 0) === 0) this.writeLog();
    this.sending = next();
    this.hasArrived = false;
  }

  /** The bytes are in the bucket, and nobody knows yet. */
  arrive(): void {
    if (!this.sending) return;
    this.#bucket.objects.set(this.sending.key, this.sending.fingerprint);
    this.hasArrived = true;
  }

  verify(): FileRecord | undefined {
    if (!this.hasArrived || !this.sending) return undefined;
    const { path, fingerprint } = this.sending;
    const receipt = receiptOf(fingerprint);
    this.#journal().recordUploaded(this.sid, path, { fingerprint, newFingerprint: fingerprint, receipt });
    return this.#done();
  }

  fail(how: 'transient' | 'permanent' | 'vanished'): FileRecord | undefined {
    if (!this.sending || this.hasArrived) return undefined;
    const { path, fingerprint, attempts } = this.sending;
    if (how === 'transient') {
      const failed = failedOf({ fingerprint, attempts: attempts + 1, uncertain: true });
      this.#journal().recordFailed(this.sid, path, failed);
    } else if (how === 'permanent') this.#journal().recordParked(this.sid, path, parkedOf({ fingerprint }));
    else this.#journal().recordGone(this.sid, path, fingerprint);
    return this.#done();
  }

  #done(): FileRecord | undefined {
    const done = this.sending;
    this.sending = undefined;
    return done;
  }

  /** What the services do last: the final log, and only then the end. */
  finish(): boolean {
    const shipment = this.shipment;
    if (!shipment || this.sending) return false;
    if (this.#journal().nextFileDueMs(this.sid) === undefined) this.writeLog();
    const isDone = this.#journal().finish(shipment);
    if (isDone) this.machine = advance(this.machine, { type: 'shipped' });
    return isDone;
  }

  /** Only whoever ships finds the id taken. */
  rename(id: string): boolean {
    if (!this.shipment || this.sending) return false;
    this.#journal().rename(this.sid, identityOf(id), (path) => keyOf(id, path));
    this.id = id;
    return true;
  }

  /** True when what is parked of it is queued at once. */
  retry(): boolean {
    const isQueued = ['shipping', 'parked'].includes(this.record.phase) && this.shipment !== undefined;
    this.#journal().retry('/data/runs', [this.id]);
    return isQueued;
  }

  /** As the tracker does after a start: the journal says where the session is. */
  restore(): void {
    const { seal, phase } = this.record;
    this.sending = undefined;
    this.machine = openSession;
    if (seal && (phase === 'shipping' || phase === 'shipped')) this.machine = { at: phase, seal };
  }
}

export const seals = { evidence, silence };
