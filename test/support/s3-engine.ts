import { onTestFinished } from 'vitest';
import { type Bandwidth, unlimited } from '../../src/adapters/bandwidth.ts';
import { BufferPool } from '../../src/adapters/buffer-pool.ts';
import { createS3Client, type S3Destination } from '../../src/adapters/s3-client.ts';
import { S3Parts } from '../../src/adapters/s3-parts.ts';
import { EndpointProbe } from '../../src/adapters/s3-probe.ts';
import { S3Sender } from '../../src/adapters/s3-sender.ts';
import { S3Writer } from '../../src/adapters/s3-writer.ts';
import { SumThread } from '../../src/adapters/sum-thread.ts';
import { growingLayout } from '../../src/domain/part-layout.ts';
import type { Clock } from '../../src/ports/clock.ts';

export interface EngineOptions {
  readonly destination?: Partial<S3Destination>;
  /** True: conditions and checksums are as on AWS, and nothing is probed. */
  readonly isAws?: boolean;
  readonly checksums?: 'auto' | 'crc32' | 'md5';
  readonly firstBytes?: number;
  readonly memoryBytesMax?: number;
  readonly chunkBytes?: number;
  readonly bandwidth?: Bandwidth;
  readonly idleTimeoutMs?: number;
  readonly memory?: Map<string, string>;
}

/** Only the pauses of repeats are skipped. */
const impatient: Clock = { nowMs: () => 0, monotonicMs: () => 0, random: () => 0.5, sleep: async () => {} };

export const engineCredentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

/** What a store is made of, over a server of a test, in sizes that S3 would refuse. */
export function engineAt(endpoint: string, options: EngineOptions = {}) {
  const { isAws = true, idleTimeoutMs = 5_000, memory = new Map<string, string>() } = options;
  const destination: S3Destination = {
    bucket: 'bucket',
    region: 'us-east-1',
    endpoint,
    pathStyle: true,
    tags: {},
    credentials: engineCredentials,
    ...options.destination,
  };
  const at = { client: createS3Client(destination, idleTimeoutMs), bucket: destination.bucket };
  const sender = new S3Sender({ at, bandwidth: options.bandwidth ?? unlimited, idleTimeoutMs });
  const pool = new BufferPool({
    bytesMax: options.memoryBytesMax ?? 48 * 1024 * 1024,
    clock: impatient,
    ...(options.chunkBytes === undefined ? {} : { chunkBytes: options.chunkBytes }),
  });
  const probe = new EndpointProbe({
    at,
    sender,
    destination,
    isAws,
    checksums: options.checksums ?? 'auto',
    key: 'training-logs/companions/.trainlogd-probe',
    recall: (name) => memory.get(name),
    remember: (name, value) => void memory.set(name, value),
  });
  const deadline = () => new AbortController().signal;
  const sumThread = new SumThread();
  const shared = { at, destination, sender, pool, sumThread, probe, isAws, deadline };
  const writer = new S3Writer(shared);
  const refusals: string[] = [];
  const layout = {
    current: growingLayout(options.firstBytes ?? 5 * 1024 * 1024),
    refused: () => void refusals.push('refused'),
  };
  const parts = new S3Parts({ ...shared, layout, clock: impatient, onUnsettled: () => {} });
  onTestFinished(() => {
    sender.close();
    at.client.destroy();
    pool.close();
    return sumThread.close();
  });
  return { writer, parts, probe, pool, sender, refusals };
}
