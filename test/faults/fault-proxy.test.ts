import {
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { seededRandom } from '../support/seeded-random.ts';
import * as answers from './fault.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { readRequest } from './operation.ts';
import { RuleBook } from './rules.ts';

const bytes = seededRandom(7).bytes(200_000);

describeS3('the fault proxy before the real server', () => {
  let bucket: TestBucket;
  beforeAll(async () => {
    bucket = await makeBucket();
  });

  async function proxied(): Promise<{ proxy: FaultProxy; client: S3Client }> {
    const proxy = await startFaultProxy({ upstream: bucket.endpoint, seed: 1 });
    const client = new S3Client({
      endpoint: proxy.endpoint,
      region: bucket.region,
      credentials: bucket.ownerCredentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    onTestFinished(async () => {
      client.destroy();
      await proxy.close();
    });
    return { proxy, client };
  }

  const put = (client: S3Client, key: string) =>
    client.send(new PutObjectCommand({ Bucket: bucket.bucket, Key: key, Body: bytes }));
  const exists = async (key: string) => (await bucket.versions(key)).length > 0;

  test('without rules passes everything as it came, so that signatures hold', async () => {
    const { proxy, client } = await proxied();
    const key = 'training-logs/a b+c=d/ü.log';
    await put(client, key);
    const got = await client.send(new GetObjectCommand({ Bucket: bucket.bucket, Key: key }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(bytes)).toBe(true);
    await client.send(new HeadObjectCommand({ Bucket: bucket.bucket, Key: key }));
    const listed = await client.send(
      new ListObjectsV2Command({ Bucket: bucket.bucket, Prefix: 'training-logs/a b' }),
    );
    expect(listed.Contents?.map((object) => object.Key)).toEqual([key]);
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ Bucket: bucket.bucket, Key: key }),
    );
    const part = { Bucket: bucket.bucket, Key: key, UploadId, PartNumber: 2 };
    await client.send(new UploadPartCommand({ ...part, Body: bytes }));
    await client.send(new UploadPartCommand({ ...part, Body: bytes.subarray(0, 1000) }));
    expect(proxy.happenings).toEqual([]);
    const counted = proxy.traffic.operations();
    expect(Object.keys(counted)).toEqual([
      'CreateMultipartUpload',
      'GetObject',
      'HeadObject',
      'ListObjectsV2',
      'PutObject',
      'UploadPart',
    ]);
    expect(counted.PutObject).toMatchObject({ requests: 1, answers: { 200: 1 } });
    expect(counted.PutObject?.requestBytes).toBeGreaterThanOrEqual(bytes.length);
    expect(counted.UploadPart).toMatchObject({ requests: 2, answers: { 200: 2 } });
    expect(proxy.traffic.resentPartBytes()).toBeGreaterThanOrEqual(1000);
    expect(proxy.traffic.resentPartBytes()).toBeLessThan(2000);
    expect(proxy.traffic.partsInFlight).toBe(0);
  });

  const lost = /ECONNRESET|socket hang up|EPIPE|aborted|closed/i;
  test.each<{ name: string; fault: answers.Fault; failure: RegExp; applied: boolean }>([
    { name: 'reset', fault: { do: 'reset', at: 'before' }, failure: lost, applied: false },
    {
      name: 'reset in the body',
      fault: { do: 'reset', at: 'body', afterBytes: 5000 },
      failure: lost,
      applied: false,
    },
    { name: 'reset when applied', fault: { do: 'reset', at: 'applied' }, failure: lost, applied: true },
    { name: 'drop', fault: { do: 'drop' }, failure: lost, applied: true },
    {
      name: 'truncate',
      fault: { do: 'truncate', keep: 0.5 },
      failure: /Parse Error|ECONNRESET|aborted|hang up/,
      applied: true,
    },
    {
      name: '503',
      fault: { do: 'answer', answer: answers.slowDown(3), applied: false },
      failure: /SlowDown/,
      applied: false,
    },
    {
      name: '500 when applied',
      fault: { do: 'answer', answer: answers.internalError, applied: true },
      failure: /InternalError/,
      applied: true,
    },
    {
      name: '403',
      fault: { do: 'answer', answer: answers.expiredToken, applied: false },
      failure: /ExpiredToken/,
      applied: false,
    },
    {
      name: 'corrupt',
      fault: { do: 'corrupt', what: 'request' },
      failure: /SHA256Mismatch|BadDigest|Signature/i,
      applied: false,
    },
  ])(
    '$name: the client sees $failure, the server did it: $applied',
    async ({ name, fault, failure, applied }) => {
      const { proxy, client } = await proxied();
      const key = `training-logs/${name}`;
      const live = proxy.add({ name, on: { operation: 'PutObject', times: 1 }, fault });
      const error: Error = await put(client, key).then(
        () => new Error('it succeeded'),
        (thrown: Error) => thrown,
      );
      expect(`${error.name} ${error.message} ${Reflect.get(error, 'code')}`).toMatch(failure);
      expect(await exists(key)).toBe(applied);
      expect(live.hits).toBe(1);
      expect(proxy.happenings).toEqual([{ rule: name, operation: 'PutObject', key }]);
      await put(client, key);
      expect((await bucket.bytes(key)).equals(bytes)).toBe(true);
    },
  );

  test('a success that holds an error, garbage, a wrong ETag and another time reach the client', async () => {
    const { proxy, client } = await proxied();
    const key = 'training-logs/answers';
    const { ETag } = await put(client, key);
    const head = () => client.send(new HeadObjectCommand({ Bucket: bucket.bucket, Key: key }));
    proxy.add({ name: 'etag', on: { times: 1 }, fault: { do: 'corrupt', what: 'answer' } });
    expect((await head()).ETag).not.toBe(ETag);
    expect((await head()).ETag).toBe(ETag);

    const get = async () => {
      const path = `${proxy.endpoint}/${bucket.bucket}/${key}`;
      const answer = await fetch(path);
      return { answer, text: await answer.text() };
    };
    const shift = proxy.add({ name: 'clock', on: {}, fault: { do: 'shiftDate', byMs: 3_600_000 } });
    const { answer } = await get();
    expect(Date.parse(answer.headers.get('date') ?? '') - Date.now()).toBeGreaterThan(3_000_000);
    shift.lift();
    proxy.add({
      name: '200',
      on: { times: 1 },
      fault: { do: 'answer', answer: answers.errorInSuccess, applied: true },
    });
    expect(await get()).toMatchObject({
      answer: { status: 200 },
      text: expect.stringContaining('<Code>InternalError'),
    });
  });

  test('a stalled request goes on when its rule is lifted, a limited and a delayed one arrive whole', async () => {
    const { proxy, client } = await proxied();
    const stall = proxy.add({
      name: 'stall',
      on: { operation: 'PutObject', times: 1 },
      fault: { do: 'stall', at: 'body', afterBytes: 70_000 },
    });
    const ended: string[] = [];
    const stalled = put(client, 'training-logs/stalled').then(() => ended.push('stalled'));
    await put(client, 'training-logs/next').then(() => ended.push('next'));
    expect(await exists('training-logs/stalled')).toBe(false);
    stall.lift();
    await stalled;
    expect(ended).toEqual(['next', 'stalled']);
    expect((await bucket.bytes('training-logs/stalled')).equals(bytes)).toBe(true);
    proxy.add({ name: 'slow', on: { times: 1 }, fault: { do: 'limit', bytesPerSecond: 2_000_000 } });
    proxy.add({ name: 'late', on: { times: 1 }, fault: { do: 'delay', ms: 20 } });
    await put(client, 'training-logs/slow');
    await put(client, 'training-logs/late');
    expect(proxy.happenings.map(({ rule }) => rule)).toEqual(['stall', 'slow', 'late']);
    expect((await bucket.bytes('training-logs/slow')).equals(bytes)).toBe(true);
  });

  test('a call comes at its moment, and unplugged nobody listens', async () => {
    const { proxy, client } = await proxied();
    const seen: string[] = [];
    for (const at of ['before', 'body', 'applied', 'answered'] as const) {
      const key = `training-logs/call-${at}`;
      proxy.add({
        name: at,
        on: { key: new RegExp(`call-${at}$`), times: 1 },
        fault: {
          do: 'call',
          at,
          afterBytes: 1000,
          call: async (request) => {
            seen.push(`${at} ${request.operation} ${await exists(key)}`);
          },
        },
      });
      const failed = await put(client, key).then(
        () => false,
        () => true,
      );
      expect(failed).toBe(at !== 'answered');
    }
    // The client has its answer before the last call is made.
    await eventually(() => seen.length === 4);
    expect(seen).toEqual([
      'before PutObject false',
      'body PutObject false',
      'applied PutObject true',
      'answered PutObject true',
    ]);
    await proxy.unplug();
    // A connection that was kept is found reset first.
    const code = () => put(client, 'training-logs/unplugged').catch((error: { code: string }) => error.code);
    await eventually(async () => (await code()) === 'ECONNREFUSED');
    await proxy.plug();
    await put(client, 'training-logs/unplugged');
  });
});

test('rules act on the nth, so many times, or by a chance that the seed repeats', () => {
  const requests = Array.from({ length: 60 }, (_, n) => readRequest('PUT', `/b/key-${n}`, {}));
  const fault = { do: 'drop' } as const;
  const play = (seed: number) => {
    const book = new RuleBook(seed);
    book.add({ name: 'third', on: { operation: 'PutObject', nth: 3 }, fault });
    book.add({ name: 'twice', on: { key: /5$/, times: 2 }, fault });
    const chance = book.add({
      name: 'chance',
      on: { is: ({ key }) => key !== 'key-0', probability: 0.3 },
      fault,
    });
    const names = requests.map((request) => book.choose(request)?.rule.name ?? '');
    chance.lift();
    expect(requests.map((request) => book.choose(request))).toEqual(requests.map(() => undefined));
    return names;
  };
  const first = play(1);
  expect(first).toEqual(play(1));
  expect(first).not.toEqual(play(2));
  expect(first[2]).toBe('third');
  expect(first.filter((name) => name === 'twice')).toHaveLength(2);
  expect(first.filter((name) => name === 'chance').length).toBeGreaterThan(5);
});

test.each([
  [
    'PUT',
    '/b/k?partNumber=3&uploadId=u',
    { operation: 'UploadPart', key: 'k', partNumber: 3, uploadId: 'u' },
  ],
  ['POST', '/b/a%20b?uploads=', { operation: 'CreateMultipartUpload', key: 'a b' }],
  ['POST', '/b/k?uploadId=u', { operation: 'CompleteMultipartUpload' }],
  ['DELETE', '/b/k?uploadId=u', { operation: 'AbortMultipartUpload' }],
  ['GET', '/b/?list-type=2&prefix=a%2Fb', { operation: 'ListObjectsV2', bucket: 'b', key: 'a/b' }],
  ['GET', '/b?uploads', { operation: 'ListMultipartUploads', key: '' }],
  ['HEAD', '/b', { operation: 'HeadBucket' }],
  ['HEAD', '/b/k', { operation: 'HeadObject' }],
])('%s %s is read', (method, target, read) => {
  expect(readRequest(method, target, {})).toMatchObject(read);
});

test('a part that is copied is not one that is sent', () => {
  const headers = { 'x-amz-copy-source': '/b/other' };
  expect(readRequest('PUT', '/b/k?partNumber=1&uploadId=u', headers).operation).toBe('UploadPartCopy');
});
