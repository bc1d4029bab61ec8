import { mkdirSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { probeObject, readAll } from '../support/bucket-check.ts';
import { eventually } from '../support/eventually.ts';
import type { TestBucket } from '../support/s3-bucket.ts';
import {
  type Cleanup,
  type Ended,
  type Host,
  run,
  start,
  statusOf,
  unsentLines,
  type Variables,
} from '../support/trainlogd.ts';

/** What a host may have to leave behind: many small files, all queued when it is told to go. */
const sessionCount = 100;
const filesEach = 100;
const fileBytes = 6 * 1024;
/** So that 60 MB take a minute, whatever the machine. */
const slowly = { TRAINLOGD_UPLOAD_BANDWIDTH_MAX: '1MiB' };

const nameOf = (session: number) => `run-${String(session).padStart(3, '0')}`;
const pathOf = (file: number) => `part-${String(file).padStart(3, '0')}.txt`;
const bytesOf = (session: number, file: number) =>
  Buffer.from(`${nameOf(session)} ${pathOf(file)}\n`.padEnd(fileBytes, '.'));

function train(folder: string): void {
  for (let session = 0; session < sessionCount; session++) {
    const directory = join(folder, nameOf(session));
    mkdirSync(directory);
    for (let file = 0; file < filesEach; file++)
      writeFileSync(join(directory, pathOf(file)), bytesOf(session, file));
    writeFileSync(join(directory, 'result.json'), '{"status":"completed"}');
  }
}

/** The way to the server, closed at first: all that is queued stays queued. */
export async function gatewayTo({ endpoint }: TestBucket, context: Cleanup) {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  let isOpen = false;
  const server = createServer((client) => {
    if (!isOpen) return void client.destroy();
    const there = connect(Number(port), hostname);
    for (const end of [client, there]) {
      sockets.add(end);
      end.on('close', () => sockets.delete(end));
      end.on('error', () => {
        client.destroy();
        there.destroy();
      });
    }
    client.pipe(there).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  context.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the gateway has no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    open: () => {
      isOpen = true;
    },
  };
}

/** Every file is in the bucket, whole and listed, or was named; no log says that it has what is not there. */
async function account(bucket: TestBucket, ended: Ended): Promise<{ arrived: number; named: number }> {
  const keys = [...new Set((await bucket.versions()).map(({ key }) => key))].filter(
    (key) => key !== probeObject,
  );
  const objects = await readAll(bucket, keys);
  const named = new Set(
    unsentLines(ended).map(
      (line) => /^unsent: (run-\d+)\S*: ([^:]+):/.exec(line)?.slice(1, 3).join('/') ?? line,
    ),
  );
  const listed = new Set<string>();
  for (const [key, bytes] of objects) {
    if (!/^training-logs\/\d{4}\//.test(key)) continue;
    const { session, companions, missing } = sessionLogSchema.parse(JSON.parse(bytes.toString()));
    const number = Number(session.name?.slice(4));
    for (const companion of companions) {
      const wanted = bytesOf(number, Number(/\d+/.exec(companion.path)?.[0]));
      expect(objects.get(companion.key)?.equals(wanted), companion.key).toBe(true);
      listed.add(`${session.name}/${companion.path}`);
    }
    const isWhole = session.status === 'completed' && missing.length === 0;
    expect([key, isWhole]).toEqual([key, companions.length === filesEach]);
    expect(new Set([...companions, ...missing].map(({ path }) => path)).size, key).toBe(filesEach);
  }
  const lost: string[] = [];
  for (let session = 0; session < sessionCount; session++)
    for (let file = 0; file < filesEach; file++) {
      const path = `${nameOf(session)}/${pathOf(file)}`;
      if (!listed.has(path) && !named.has(path)) lost.push(path);
    }
  expect(lost).toEqual([]);
  return { arrived: listed.size, named: named.size };
}

/** For ten thousand files: nothing waits longer than it has to, so that what takes time is the sending. */
export function hasty(timeout: string): Variables {
  return {
    TRAINLOGD_WATCH_SETTLE: '200ms',
    TRAINLOGD_RETRY_MAX_DELAY: '1s',
    TRAINLOGD_DRAIN_TIMEOUT: timeout,
  };
}

export interface QueueHost {
  readonly host: Host;
  readonly bucket: TestBucket;
  /** Between the two; still closed. */
  readonly gateway: { open(): void };
  /** Where it is not the process that was started. */
  readonly processOf?: (pid: number) => number;
  readonly afterTraining?: () => void;
}

/**
 * Queues ten thousand files while the bucket is away; once it is there, SIGTERM. Every file has to be in the bucket or
 * named, and the next start has to send the rest. The first life has to end with the code, in the time of grace.
 */
export async function stopWithQueue(
  context: Cleanup,
  { host, bucket, gateway, processOf = (pid) => pid, afterTraining }: QueueHost,
  { code, graceMs }: { readonly code: number; readonly graceMs: number },
): Promise<void> {
  const all = sessionCount * filesEach;
  train(host.folder);
  afterTraining?.();
  const daemon = start(context, host, ['run'], slowly);
  await eventually(async () => (await statusOf(context, host)).backlog.pendingFiles === all, {
    timeoutMs: 240_000,
    everyMs: 2_000,
  });
  gateway.open();
  const beganMs = performance.now();
  process.kill(processOf(daemon.pid), 'SIGTERM');
  const ended = await daemon.ended;
  const tookMs = performance.now() - beganMs;
  expect(ended.code, ended.stderr.slice(-2_000)).toBe(code);
  expect(tookMs).toBeLessThan(graceMs);
  const first = await account(bucket, ended);
  const seconds = (tookMs / 1000).toFixed(1);
  process.stderr.write(
    `exit ${ended.code} after ${seconds} s, ${first.arrived} files arrived and listed, ${first.named} named unsent\n`,
  );
  if (code === 0) expect(first).toEqual({ arrived: all, named: 0 });
  else {
    expect(first.arrived).toBeGreaterThan(0);
    expect(first.named).toBeGreaterThan(0);
  }
  const rest = await run(context, host, ['drain']);
  expect(rest.code, rest.stderr.slice(-2_000)).toBe(0);
  expect(await account(bucket, rest)).toEqual({ arrived: all, named: 0 });
}
