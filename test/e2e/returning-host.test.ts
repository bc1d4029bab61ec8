import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { checkedLog } from '../support/bucket-log.ts';
import { GrowingFile, growing, mebibyte, partBytes, untilRecorded } from '../support/growing-file.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { requestsTo } from '../support/s3-requests.ts';
import { makeHost, run, start, toBucket } from '../support/trainlogd.ts';

/** So long after the host was last heard of that it counts as lost. */
const later = {
  NODE_OPTIONS: `--import ${join(import.meta.dirname, '..', 'support', 'eleven-minutes-later.ts')}`,
};

/** Newest first. */
async function logsOf(bucket: TestBucket) {
  const versions = await bucket.versions('training-logs/');
  const logs = versions.filter(({ key }) => /^training-logs\/\d{4}\//.test(key));
  return await Promise.all(
    logs.map(async ({ key, versionId }) =>
      sessionLogSchema.parse(JSON.parse(String(await bucket.bytes(key, versionId)))),
    ),
  );
}

/** In order: `log` for each that was written, `object` for each time that the file became one. */
async function writesOf(bucket: TestBucket): Promise<string[]> {
  return (await requestsTo(bucket)).flatMap(({ method, target, status }) => {
    if (status !== 200) return [];
    if (method === 'PUT' && /\/training-logs\/\d{4}\//.test(target)) return ['log'];
    return method === 'POST' && /events\.bin\?uploadId=/.test(target) ? ['object'] : [];
  });
}

describeS3('a host that returns after another one recovered its session', () => {
  test('says that the file is pending before it replaces the recovered object', async (context) => {
    const bucket = await makeBucket();
    const host = await makeHost(context, toBucket(bucket), growing);
    const file = new GrowingFile(join(host.folder, 'run', 'events.bin'));
    await file.append(12 * mebibyte);
    await writeFile(join(host.folder, 'run', 'session.json'), '{}');
    const daemon = start(context, host);
    const parts = await untilRecorded(bucket, 2);
    await daemon.stop('SIGKILL');
    const { id } = (await checkedLog(bucket)).log.session;
    const elsewhere = await makeHost(context, toBucket(bucket), growing);
    const recovered = await run(context, elsewhere, ['recover', id], later);
    expect(recovered.code, recovered.stderr + recovered.stdout).toBe(0);
    const before = await writesOf(bucket);
    expect((await checkedLog(bucket)).log.companions).toMatchObject([{ bytes: parts * partBytes }]);

    await file.append(2 * mebibyte);
    await writeFile(join(host.folder, 'run', 'result.json'), '{"status":"completed"}');
    const drained = await run(context, host, ['drain', '--timeout', '60s']);
    expect(drained.code, drained.stderr.slice(-2000)).toBe(0);
    expect((await writesOf(bucket)).slice(before.length)).toEqual(['log', 'object', 'log']);
    const [last, announced, listed] = await logsOf(bucket);
    expect(listed).toMatchObject({ companions: [{ path: 'events.bin', truncated: true }] });
    expect(announced).toMatchObject({ companions: [], missing: [{ path: 'events.bin', reason: 'pending' }] });
    expect(last).toMatchObject({ session: { status: 'completed' }, missing: [] });
    const { bytesOf } = await checkedLog(bucket);
    expect((await bytesOf('events.bin')).equals(file.bytes)).toBe(true);
    expect((await requestsTo(bucket)).filter(({ status }) => status === 403)).toEqual([]);
  }, 120_000);
});
