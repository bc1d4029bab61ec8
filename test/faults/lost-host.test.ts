import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { checkedLog } from '../support/bucket-log.ts';
import { removeBucket } from '../support/bucket-uploads.ts';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { type Cleanup, makeHost, run, start, toBucket } from '../support/trainlogd.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { appendSeeded, differing } from './seeded-object.ts';

const mebibyte = 1024 * 1024;
const partBytes = 5 * mebibyte;
/** `TRAINLOGD_TEST_FAULTS=full`: 1 GiB is written when the host goes away, and more was to come. */
const isFull = process.env['TRAINLOGD_TEST_FAULTS'] === 'full';
const writtenBytes = isFull ? 1024 * mebibyte : 24 * mebibyte;
const snapshotEveryMs = isFull ? 10_000 : 1_000;
const writesEveryMs = 100;
const bytesPerWrite = isFull ? mebibyte : 512 * 1024;
/** Between the moment at which a snapshot is due and that at which it is in the bucket, on a machine that is busy. */
const snapshotTakesMs = 10_000;
/** What is sent between two records, and what was on its way. */
const partsBehindMax = 4 + 4;

/** So long after the host was last heard of that it counts as lost. */
const later = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'support', 'eleven-minutes-later.ts')}`,
};

describeS3('a host that goes away with its disks while a large file grows', () => {
  test('every part that was recorded is recovered elsewhere, and no more of the rest is lost than since the last snapshot', {
    timeout: isFull ? 900_000 : 120_000,
  }, async (context) => {
    const bucket = await makeBucket();
    context.onTestFinished(() => removeBucket(bucket));
    const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
    context.onTestFinished(() => proxy.close());
    const destination = toBucket({ ...bucket, endpoint: proxy.endpoint });
    const host = await makeHost(context, destination, {
      TRAINLOGD_WATCH_SETTLE: '50ms',
      TRAINLOGD_WATCH_RESCAN: '1s',
      TRAINLOGD_SESSION_LOG_SNAPSHOT_EVERY: `${snapshotEveryMs}ms`,
      TRAINLOGD_UPLOAD_PART_SIZE: '5MiB',
    });
    const daemon = start(context, host);
    const trainer = train(context, join(host.folder, 'run'));
    // The bucket lags behind by what is not settled yet.
    await eventually(() => trainer.bytes() >= writtenBytes, { timeoutMs: 600_000, everyMs: 20 });
    await daemon.stop('SIGKILL');
    const lostAtMs = Date.now();
    await trainer.stop();
    const accepted = [...proxy.traffic.parts(/events\.bin$/).values()].filter((part) => part.accepted > 0);
    await rm(host.base, { recursive: true });

    const { id } = (await checkedLog(bucket)).log.session;
    const elsewhere = await makeHost(context, destination);
    const { code, stdout, stderr } = await run(context, elsewhere, ['recover', id, '--json'], later);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ session: id, outcome: 'recovered', status: 'interrupted' });

    const { log, bytesOf } = await checkedLog(bucket);
    const large = log.companions.find(({ path }) => path === 'events.bin');
    expect(large).toMatchObject({ truncated: true });
    const recovered = large?.bytes ?? 0;
    expect(recovered % partBytes).toBe(0);
    expect(recovered / partBytes).toBeGreaterThanOrEqual(accepted.length - partsBehindMax);
    expect(await differing(bucket, large?.key ?? '', 'events', recovered)).toEqual([]);
    const lines = (await bytesOf('stdout.log')).toString().trim().split('\n');
    const lostMs = lostAtMs - Number(lines.at(-1));
    expect(lostMs).toBeLessThan(snapshotEveryMs + snapshotTakesMs);
    if (isFull) {
      process.stderr.write(
        `lost with ${trainer.bytes() / mebibyte} MiB written: ${accepted.length} parts were accepted, ${recovered / partBytes} are recovered (${recovered / mebibyte} MiB, compared), ${lostMs} ms of the small file are lost, snapshots every ${snapshotEveryMs} ms\n`,
      );
    }
  });
});

/** Writes until it is stopped: a file that grows, and a small one that says when. */
function train(context: Cleanup, session: string): { bytes(): number; stop(): Promise<void> } {
  const over = new AbortController();
  let bytes = 0;
  const write = async () => {
    await mkdir(session);
    await writeFile(join(session, 'session.json'), '{}');
    for (let turn = 0; !over.signal.aborted; turn++) {
      await appendSeeded(join(session, 'events.bin'), 'events', bytesPerWrite, bytes);
      bytes += bytesPerWrite;
      if (turn % 5 === 0) await appendFile(join(session, 'stdout.log'), `${Date.now()}\n`);
      await delay(writesEveryMs);
    }
  };
  const ended = write();
  const stop = async () => {
    over.abort();
    await ended;
  };
  context.onTestFinished(stop);
  return { bytes: () => bytes, stop };
}
