import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFaultProxy } from '../faults/fault-proxy.ts';
import type { OperationCount } from '../faults/traffic.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { makeBucket } from '../support/s3-bucket.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { type Cleanup, makeHost, toBucket } from '../support/trainlogd.ts';
import { type Audit, auditBucket, nothingAudited } from './audit.ts';
import { dailyFaults } from './daily-faults.ts';
import { liveAndDie, liveInPeace } from './lives.ts';
import { auditUploads, nothingUnfinished } from './unfinished.ts';
import { Workload } from './workload.ts';

export interface TortureOptions {
  readonly kills: number;
  readonly seed: number;
  readonly faults: boolean;
  /** Ends earlier than after all kills, should they take longer. */
  readonly minutesMax?: number | undefined;
  /** The bucket and the host's directories stay, for a look. */
  readonly keep?: boolean;
  readonly onKilled?: (killed: number) => void;
  /** The bucket could not be removed. */
  readonly onLeft?: (bucket: string, error: unknown) => void;
}

export interface TortureReport {
  readonly seed: number;
  readonly kills: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** What the last life took to ship all that the others had left. */
  readonly lastLifeSeconds: number;
  readonly sessions: number;
  readonly trainedBytes: number;
  readonly deaths: Readonly<Record<string, { tried: number; reached: number }>>;
  readonly requests: Readonly<Record<string, OperationCount>>;
  readonly resent: {
    readonly partBytes: number;
    readonly perKillBytes: number;
    /** Parts in flight at all kills, and those that faults hit, times the size of a part. */
    readonly allowedBytes: number;
  };
  readonly bucket: Omit<Audit, 'problems'>;
  readonly unfinished: { readonly inLedger: number; readonly unanswered: number };
  /** Empty: nothing was lost, torn, or sent in vain. */
  readonly problems: readonly string[];
}

const secondsPerKillMax = 20;
const partBytes = 5 * 1024 * 1024;
const transfers = 2;
const partsAtOnce = 2;

/** The real program against the real server, killed again and again while trainers write; then everything is counted. */
export async function torture(context: Cleanup, options: TortureOptions): Promise<TortureReport> {
  const startedMs = performance.now();
  const random = seededRandom(options.seed);
  const bucket = await makeBucket();
  const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: options.seed });
  const kept: Cleanup = { ...context, onTestFinished: () => {} };
  const host = await makeHost(
    options.keep ? kept : context,
    toBucket({ ...bucket, endpoint: proxy.endpoint }),
    {
      ...settings,
      // A thousand starts are half of the time.
      NODE_COMPILE_CACHE: join(tmpdir(), 'trainlogd-torture-compiled'),
    },
  );
  const workload = new Workload(random, host.folder);
  const rules = options.faults ? dailyFaults.map((rule) => proxy.add(rule)) : [];
  const living = {
    ...{ context, host, proxy, workload, random, kills: options.kills },
    secondsMax:
      options.minutesMax === undefined ? secondsPerKillMax * options.kills : 60 * options.minutesMax,
    onKilled: options.onKilled ?? (() => {}),
  };
  try {
    const lives = await liveAndDie(living);
    proxy.liftAll();
    await workload.finish();
    const peace = await liveInPeace(living);
    const problems = [...lives.problems, ...peace.problems];
    const look = async <T>(what: string, work: () => Promise<T>, otherwise: T): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        problems.push(`${what} could not be counted: ${String(error)}`);
        return otherwise;
      }
    };
    const audit = await look(
      'what is in the bucket',
      () => auditBucket(bucket, host.folder, workload.sessions),
      nothingAudited,
    );
    const uploads = await look(
      'unfinished uploads',
      () => auditUploads(bucket, host.state),
      nothingUnfinished,
    );
    const claims = await look('claims', () => readdir(join(host.state, 'claims')), []);
    problems.push(...audit.problems, ...uploads.problems, ...claims.map((claim) => `claim ${claim} is left`));
    const hits = Object.fromEntries(rules.map((rule) => [rule.rule.name, rule.hits]));
    const faultyParts = proxy.happenings.filter(
      ({ rule, operation }) => operation === 'UploadPart' && rule !== 'killed',
    );
    const resentBytes = proxy.traffic.resentPartBytes();
    const perKill = transfers * partsAtOnce * partBytes;
    const allowedBytes = lives.killed * perKill + faultyParts.length * partBytes;
    if (resentBytes > allowedBytes) {
      problems.push(`${resentBytes} bytes of parts were sent again, ${allowedBytes} are what may be`);
    }
    const {
      problems: _,
      logs,
      logVersions,
      companions,
      companionVersions,
      comparedBytes,
      resumeVersions,
    } = audit;
    return {
      ...{ seed: options.seed, kills: lives.killed, faults: hits },
      seconds: Math.round((performance.now() - startedMs) / 1000),
      lastLifeSeconds: peace.seconds,
      sessions: workload.sessions.length,
      trainedBytes: workload.sessions.reduce((sum, { bytes }) => sum + bytes, 0),
      deaths: Object.fromEntries(lives.deaths),
      requests: proxy.traffic.operations(),
      resent: { partBytes: resentBytes, perKillBytes: Math.round(resentBytes / lives.killed), allowedBytes },
      bucket: { logs, logVersions, companions, companionVersions, comparedBytes, resumeVersions },
      unfinished: { inLedger: uploads.inLedger, unanswered: uploads.unanswered },
      problems,
    };
  } finally {
    await proxy.close();
    // What was found counts, also when a server that is out of order keeps its bucket.
    if (!options.keep) await removeBucket(bucket).catch((error) => options.onLeft?.(bucket.bucket, error));
  }
}

const settings = {
  TRAINLOGD_WATCH_SETTLE: '100ms',
  TRAINLOGD_WATCH_RESCAN: '1s',
  TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: '1s',
  TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
  TRAINLOGD_UPLOAD_CONCURRENCY: String(transfers),
  TRAINLOGD_UPLOAD_PART_CONCURRENCY: String(partsAtOnce),
  TRAINLOGD_RETRY_BASE_DELAY: '50ms',
  TRAINLOGD_RETRY_MAX_DELAY: '500ms',
};
