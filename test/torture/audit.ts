import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readResumeRecord } from '../../src/domain/resume-record.ts';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import type { ObjectVersion, TestBucket } from '../support/s3-bucket.ts';
import type { TrainedFile, Training } from './training.ts';

const logKey = /^training-logs\/\d{4}\/\d{2}\/[^/]+\.log$/;
/** What lies beside the companions for other hosts: nobody may delete it once it is of no more use. */
const resumeKey = /\/\.resume\/[0-9a-f]{64}\.json$/;
/** Where the destination was asked what it honours. */
const probeKey = /\/companions\/\.trainlogd-probe/;

export interface Audit {
  /** One sentence for everything that is not as it must be. */
  readonly problems: readonly string[];
  readonly logs: number;
  readonly logVersions: number;
  readonly companions: number;
  readonly companionVersions: number;
  readonly comparedBytes: number;
  readonly resumeVersions: number;
}

export const nothingAudited: Audit = {
  problems: [],
  logs: 0,
  logVersions: 0,
  companions: 0,
  companionVersions: 0,
  comparedBytes: 0,
  resumeVersions: 0,
};

/** Holds every version in the bucket against what was trained: nothing less, nothing else, every byte. */
export async function auditBucket(
  bucket: TestBucket,
  folder: string,
  sessions: readonly Training[],
): Promise<Audit> {
  const audit = new Auditor(
    bucket,
    folder,
    Map.groupBy(await bucket.versions(), ({ key }) => key),
  );
  await audit.run(sessions);
  return audit;
}

class Auditor implements Audit {
  readonly problems: string[] = [];
  logs = 0;
  logVersions = 0;
  companions = 0;
  companionVersions = 0;
  comparedBytes = 0;
  resumeVersions = 0;
  readonly #bucket: TestBucket;
  readonly #folder: string;
  readonly #versions: ReadonlyMap<string, readonly ObjectVersion[]>;
  readonly #used = new Set<string>();

  constructor(bucket: TestBucket, folder: string, versions: ReadonlyMap<string, readonly ObjectVersion[]>) {
    this.#bucket = bucket;
    this.#folder = folder;
    this.#versions = versions;
  }

  async run(sessions: readonly Training[]): Promise<void> {
    const bySession = new Map<string, SessionLog>();
    for (const key of [...this.#versions.keys()].filter((name) => logKey.test(name))) {
      const newest = await this.#auditLog(key);
      const name = newest.session.name ?? newest.session.id;
      if (bySession.has(name)) this.problems.push(`session ${name} has a second log: ${key}`);
      bySession.set(name, newest);
    }
    for (const session of sessions) {
      const log = bySession.get(session.path);
      if (log) await this.#auditSession(session, log);
      else this.problems.push(`session ${session.path} has no log`);
      bySession.delete(session.path);
    }
    for (const name of bySession.keys()) this.problems.push(`${name} has a log, and was not trained`);
    for (const key of [...this.#versions.keys()].filter((name) => !this.#used.has(name))) {
      if (resumeKey.test(key)) await this.#auditResume(key);
      else if (!probeKey.test(key)) this.problems.push(`${key} is listed by no log`);
    }
    await this.#findStrangers(sessions);
  }

  /** Every version is valid, and lists only what was in the bucket; the newest is complete. */
  async #auditLog(key: string): Promise<SessionLog> {
    const versions = [...(this.#versions.get(key) ?? [])].reverse();
    this.#used.add(key);
    this.logs += 1;
    this.logVersions += versions.length;
    const logs: SessionLog[] = [];
    for (const { versionId } of versions) {
      const bytes = await this.#bucket.bytes(key, versionId);
      logs.push(sessionLogSchema.parse(JSON.parse(bytes.toString('utf8'))));
    }
    const revisions = logs.map((log) => log.session.revision);
    const counted = logs.map((_, index) => index + 1);
    if (String(revisions) !== String(counted)) {
      this.problems.push(`${key} has ${versions.length} versions, of the revisions ${revisions.join(', ')}`);
    }
    for (const log of logs) this.#auditListed(key, log);
    const newest = logs.at(-1);
    if (!newest) throw new Error(`${key} has no version`);
    for (const { path, reason } of newest.missing) this.problems.push(`${key} misses ${path}: ${reason}`);
    return newest;
  }

  #auditListed(key: string, log: SessionLog): void {
    for (const companion of log.companions) {
      const isThere = this.#versions.get(companion.key)?.some(({ etag }) => etag === companion.etag);
      if (!isThere) {
        this.problems.push(
          `${key}, revision ${log.session.revision}, lists ${companion.path} with bytes that never were there`,
        );
      }
    }
  }

  async #auditResume(key: string): Promise<void> {
    for (const { versionId } of this.#versions.get(key) ?? []) {
      const text = (await this.#bucket.bytes(key, versionId)).toString('utf8');
      this.resumeVersions += 1;
      if (!readResumeRecord(text)) this.problems.push(`${key} is no resume record: ${text.slice(0, 200)}`);
    }
  }

  async #auditSession(session: Training, log: SessionLog): Promise<void> {
    const name = session.path;
    if (log.session.status !== session.status) {
      this.problems.push(`${name} is ${log.session.status}, not ${session.status}`);
    }
    for (const [path, text] of session.native) {
      const isSame = JSON.stringify(log.native[path]) === JSON.stringify(JSON.parse(text));
      if (!isSame) this.problems.push(`${name}: its log does not hold ${path} as it was written`);
    }
    const listed = new Map(log.companions.map((companion) => [companion.path, companion]));
    for (const file of session.companions.values()) {
      const companion = listed.get(file.path);
      listed.delete(file.path);
      if (companion) await this.#auditFile(session, file, companion);
      else this.problems.push(`${name}: its log does not list ${file.path}`);
    }
    for (const path of listed.keys())
      this.problems.push(`${name}: its log lists ${path}, which was not trained`);
  }

  /** The newest version is the file; every older one is a beginning of what it was; no two are alike. */
  async #auditFile(
    session: Training,
    file: TrainedFile,
    companion: SessionLog['companions'][number],
  ): Promise<void> {
    const { key } = companion;
    const bytes = await readFile(join(this.#folder, session.path, file.path));
    this.companions += 1;
    this.#used.add(key);
    if (createHash('sha256').update(bytes).digest('hex') !== file.sha256()) {
      this.problems.push(`${session.path}/${file.path} is not on disk as it was written`);
    }
    const versions = this.#versions.get(key) ?? [];
    this.companionVersions += versions.length;
    const was = [bytes, ...file.replaced];
    for (const [index, version] of versions.entries()) {
      const found = await this.#bucket.bytes(key, version.versionId);
      this.comparedBytes += found.length;
      const isRight = index === 0 ? found.equals(bytes) : was.some((one) => startsWith(one, found));
      if (!isRight) {
        const which = index === 0 ? 'its newest version' : `version ${versions.length - index}`;
        this.problems.push(`${key}: ${which} has other bytes (${found.length} of ${bytes.length})`);
      }
    }
    const distinct = new Set(versions.map(({ etag, sizeBytes }) => `${sizeBytes} ${contentOf(etag)}`));
    if (distinct.size !== versions.length) {
      this.problems.push(`${key} has ${versions.length} versions of ${distinct.size} contents`);
    }
    if (companion.bytes !== bytes.length || companion.etag !== versions[0]?.etag) {
      this.problems.push(`${key} is listed with another size or ETag`);
    }
    if (companion.crc32 !== undefined && companion.crc32 !== crcOf(bytes)) {
      this.problems.push(`${key} is listed with CRC-32 ${companion.crc32}, not ${crcOf(bytes)}`);
    }
  }

  /** The program writes nothing into the watched folder. */
  async #findStrangers(sessions: readonly Training[]): Promise<void> {
    const expected = new Set(
      sessions.flatMap(({ path, companions, native }) =>
        [...companions.keys(), ...native.keys()].map((file) => join(path, file)),
      ),
    );
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name).slice(this.#folder.length + 1);
      if (entry.isFile() && !expected.has(path)) this.problems.push(`${path} was written by nobody`);
    }
  }
}

/** The same bytes in other parts have another ETag and are no other content; sizes tell those apart here. */
function contentOf(etag: string): string {
  return etag.includes('-') ? 'in parts' : etag;
}

function startsWith(whole: Buffer, beginning: Buffer): boolean {
  return beginning.length <= whole.length && whole.subarray(0, beginning.length).equals(beginning);
}

function crcOf(bytes: Buffer): string {
  const four = Buffer.alloc(4);
  four.writeUInt32BE(crc32(bytes));
  return four.toString('base64');
}
