import { randomBytes } from 'node:crypto';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { makePlace, objectBytes, objectKeys, runAgent, shippedLogs } from '../support/agent.ts';
import { write } from '../support/hostile.ts';
import { describeS3, makeBucket } from '../support/s3.ts';

const text = 'step 1: loss 0.5\n'.repeat(10_000);
const noise = randomBytes(3000);

async function makeSession(place: Awaited<ReturnType<typeof makePlace>>) {
  await write(place, 'run/train.log', text);
  await write(place, 'run/sample.png', noise);
  await write(place, 'run/note.txt', 'short');
  await write(place, 'run/_SUCCESS', '');
}

test.each([
  ['gzip', '.gz', gunzipSync],
  ['zstd', '.zst', zstdDecompressSync],
] as const)(
  'files of ended sessions are packed on their way with %s, and key and log say so',
  async (encoding, ending, unpack) => {
    const place = await makePlace();
    await makeSession(place);
    const env = { TRAINLOGD_COMPANIONS_COMPRESSION: encoding };
    const planned = await runAgent(place, ['plan', '--json'], { env });
    const ended = await runAgent(place, ['drain', '--timeout', '20s'], { env });
    expect(ended.exit, ended.stderr).toBe(0);
    const log = shippedLogs(place).get('run');
    const packed = log?.companions.find(({ path }) => path === 'train.log');
    const bytes = objectBytes(place, packed?.key ?? '');
    expect(packed).toMatchObject({ bytes: bytes.length, contentType: `application/${encoding}` });
    expect(packed?.key).toMatch(new RegExp(`/train\\.log\\${ending}$`));
    expect(bytes.length).toBeLessThan(text.length / 10);
    expect(String(unpack(bytes))).toBe(text);
    expect(planned.stdout).toContain(packed?.key);
    const others = log?.companions
      .filter(({ path }) => path !== 'train.log')
      .map(({ key }) => key.split('/').at(-1));
    expect(others?.toSorted()).toEqual(['_SUCCESS', 'note.txt', 'sample.png']);

    const keys = objectKeys(place);
    rmSync(place.state, { recursive: true });
    const again = await runAgent(place, ['drain', '--timeout', '20s'], { env });
    expect(again.exit, again.stderr).toBe(0);
    expect(objectKeys(place)).toEqual(keys);
    expect(shippedLogs(place).get('run')?.session.revision).toBe(log?.session.revision);
  },
);

test('a packed file that is in the bucket, of which nothing else is known any more, is recognised by its bytes', async () => {
  const place = await makePlace();
  await makeSession(place);
  const env = { TRAINLOGD_COMPANIONS_COMPRESSION: 'gzip' };
  await runAgent(place, ['drain', '--timeout', '20s'], { env });
  const keys = objectKeys(place);
  const key = keys.find((name) => name.endsWith('/train.log.gz')) ?? '';
  const inode = statSync(join(place.destination, key)).ino;
  // As a host leaves it that dies before its first receipt.
  rmSync(place.state, { recursive: true });
  for (const log of keys.filter((name) => name.endsWith('.log'))) rmSync(join(place.destination, log));
  const again = await runAgent(place, ['drain', '--timeout', '20s'], { env });
  expect(again.exit, again.stderr).toBe(0);
  expect(objectKeys(place)).toEqual(keys);
  expect(statSync(join(place.destination, key)).ino).toBe(inode);
  expect(shippedLogs(place).get('run')).toMatchObject({ missing: [] });
});

describeS3('in a bucket', () => {
  test('a packed file is there once, found again when the journal was lost, and replaced when it changed', async () => {
    const bucket = await makeBucket();
    onTestFinished(() => bucket.owner.destroy());
    const place = await makePlace();
    await makeSession(place);
    const env = {
      TRAINLOGD_DESTINATION_URL: undefined,
      S3_BUCKET_NAME: bucket.bucket,
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_REGION: bucket.region,
      AWS_ACCESS_KEY_ID: bucket.uploader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.uploader.secretAccessKey,
      TRAINLOGD_COMPANIONS_COMPRESSION: 'gzip',
    };
    const drain = async () => {
      const ended = await runAgent(place, ['drain', '--timeout', '25s'], { env });
      expect(ended.exit, ended.stderr).toBe(0);
    };
    const packed = async () =>
      (await bucket.versions('training-logs/companions/')).filter(({ key }) => key.includes('/train.log'));
    await drain();
    const first = await packed();
    expect(first).toMatchObject([{ key: expect.stringMatching(/\/train\.log\.gz$/) }]);
    expect(String(gunzipSync(await bucket.bytes(first[0]?.key ?? '')))).toBe(text);

    rmSync(place.state, { recursive: true });
    await drain();
    expect(await packed()).toEqual(first);

    await write(place, 'run/train.log', `${text}one more\n`);
    await drain();
    expect(await packed()).toHaveLength(2);
    expect(String(gunzipSync(await bucket.bytes(first[0]?.key ?? '')))).toBe(`${text}one more\n`);
    const versions = await bucket.versions('training-logs/2');
    const log = sessionLogSchema.parse(JSON.parse(String(await bucket.bytes(versions[0]?.key ?? ''))));
    expect(log.missing).toEqual([]);
    expect(log.companions.find(({ path }) => path === 'train.log')?.key).toBe(first[0]?.key);
  });
});
