import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { isAws, type S3Destination } from '../../src/adapters/s3-client.ts';
import { putInParts } from '../../src/adapters/s3-multipart.ts';
import { createS3Store } from '../../src/adapters/s3-store.ts';
import { Conflict } from '../../src/domain/failure.ts';
import type { PutRequest } from '../../src/ports/object-store.ts';
import { md5Of } from '../contracts/object-store.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { engineCredentials as credentials, engineAt } from '../support/s3-engine.ts';
import { errorAnswer, isList, listAnswer, type ScriptedRequest, scriptedS3 } from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const partSizeBytes = 5 * 1024 * 1024;

function requestOf(body: Buffer | string, more: Partial<PutRequest> = {}): PutRequest {
  const source = sourceOf(body);
  return {
    key: 'k',
    source,
    contentType: 'text/plain',
    metadata: { session: 's' },
    condition: { absent: true },
    ...more,
  };
}

function destinationOf(endpoint: string, more: Partial<S3Destination> = {}): S3Destination {
  return { bucket: 'bucket', region: 'us-east-1', endpoint, pathStyle: true, tags: {}, credentials, ...more };
}

/** As on AWS, where conditions are honoured and checksums kept. */
function trustingWriter(endpoint: string, destination: Partial<S3Destination> = {}) {
  const { writer, parts } = engineAt(endpoint, { destination, firstBytes: partSizeBytes });
  const put = (request: PutRequest, signal: AbortSignal) =>
    request.source.sizeBytes <= partSizeBytes
      ? writer.put(request, signal)
      : putInParts(parts, 2, request, signal);
  return { put };
}

/** Takes every write, and answers with the ETag and the checksum of the bytes. */
function takes(request: ScriptedRequest) {
  if (isList(request)) return listAnswer();
  if (request.method === 'POST' && request.url.includes('uploads')) {
    const body = '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>';
    return { status: 200, body };
  }
  if (request.method === 'POST') return errorAnswer(404, 'NoSuchUpload');
  const crc32 = String(request.headers['x-amz-checksum-crc32'] ?? '');
  return { status: 200, headers: { etag: `"${md5Of(request.body)}"`, 'x-amz-checksum-crc32': crc32 } };
}

const optional = [
  'x-amz-storage-class',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-tagging',
  'x-amz-acl',
];
const sentOptional = ({ headers }: ScriptedRequest) =>
  Object.fromEntries(
    optional.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );

describe('S3Writer sends', () => {
  test.each([
    ['one request', 100],
    ['parts', partSizeBytes + 1],
  ])('no header that the policy might deny unless it is configured, in %s', async (_, size) => {
    const { endpoint, requests } = await scriptedS3(takes);
    await trustingWriter(endpoint)
      .put(requestOf(patternBytes(size)), never)
      .catch(() => undefined); // reason: the parts are refused at the end
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.map(sentOptional)).toEqual(requests.map(() => ({})));
  });

  test.each([
    ['one request', 100],
    ['parts', partSizeBytes + 1],
  ])('storage class, encryption and tags as configured, in %s', async (_, size) => {
    const { endpoint, requests } = await scriptedS3(takes);
    const more = {
      storageClass: 'STANDARD_IA',
      encryption: 'aws:kms',
      kmsKeyId: 'key-1',
      tags: { team: 'a&b', 'x y': '1' },
    } as const;
    await trustingWriter(endpoint, more)
      .put(requestOf(patternBytes(size)), never)
      .catch(() => undefined); // reason: as above
    const creates = requests.find((request) => /^(PUT|POST)$/.test(request.method));
    expect(creates && sentOptional(creates)).toEqual({
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
      'x-amz-tagging': 'team=a%26b&x+y=1',
    });
  });

  test('a small object to AWS in a single request that carries the condition and the checksum', async () => {
    const { endpoint, requests } = await scriptedS3(takes);
    const receipt = await trustingWriter(endpoint).put(requestOf('body'), never);
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['PUT /bucket/k']);
    expect(requests[0]?.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-crc32': receipt.crc32,
    });
    await trustingWriter(endpoint).put(requestOf('body', { condition: { etag: 'abc' } }), never);
    expect(requests[1]?.headers).toMatchObject({ 'if-match': 'abc' });
  });

  test.each([
    [errorAnswer(412, 'PreconditionFailed'), { absent: true }],
    [errorAnswer(412, 'PreconditionFailed'), { etag: 'abc' }],
    [errorAnswer(404, 'NoSuchKey'), { etag: 'abc' }],
  ] as const)(
    'and answers %j to the condition %j of a write to AWS with a Conflict',
    async (answer, condition) => {
      const { endpoint, requests } = await scriptedS3(() => answer);
      const writing = trustingWriter(endpoint).put(requestOf('body', { condition }), never);
      await expect(writing).rejects.toBeInstanceOf(Conflict);
      expect(requests).toHaveLength(1);
    },
  );

  test('takes the checksum for proof where KMS makes the ETag no MD5', async () => {
    const kmsAnswer = (crc32: string) => ({
      status: 200,
      headers: {
        etag: `"${md5Of('other')}"`,
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-checksum-crc32': crc32,
      },
    });
    const right = await scriptedS3(({ headers }) => kmsAnswer(String(headers['x-amz-checksum-crc32'])));
    const receipt = await trustingWriter(right.endpoint).put(requestOf('body'), never);
    expect(receipt.etag).toBe(md5Of('other'));
    const wrong = await scriptedS3(() => kmsAnswer('AAAAAA=='));
    const writing = trustingWriter(wrong.endpoint).put(requestOf('body'), never);
    await expect(writing).rejects.toMatchObject({ code: 'IntegrityMismatch', kind: 'transient' });
  });
});

describe('createS3Store()', () => {
  test.each([
    [undefined, true],
    ['https://s3.eu-central-1.amazonaws.com', true],
    ['https://s3.cn-north-1.amazonaws.com.cn', true],
    ['https://s3.amazonaws.com.example.org', false],
    ['https://evilamazonaws.com', false],
    ['http://127.0.0.1:9000', false],
  ])('trusts the endpoint %s to create atomically: %s', async (endpoint, expected) => {
    expect(isAws(endpoint)).toBe(expected);
    const destination = { bucket: 'b', region: 'r', pathStyle: false, tags: {}, credentials, endpoint };
    const store = createS3Store({ destination, partSizeBytes, partConcurrency: 1, requestTimeoutMs: 1_000 });
    expect(store.createIsAtomic).toBe(expected);
    if (expected) expect(store.createSettleMs).toBe(0);
    else expect(store.createSettleMs).toBeGreaterThan(1_000);
    await store.close();
  });

  test('refuses parts that S3 would refuse', () => {
    const destination = destinationOf('http://127.0.0.1:1');
    expect(() => createS3Store({ destination, partSizeBytes: 1024, partConcurrency: 1 })).toThrow('1024');
  });
});

describeS3('S3Writer on a bucket where If-Match always fails', () => {
  test('replaces what has the expected ETag, and never again after the object was replaced by another', async () => {
    const { bucket, endpoint, region, uploader, owner, versions, bytes } = await makeBucket({
      versioned: true,
    });
    const destination = { bucket, endpoint, region, pathStyle: true, tags: {}, credentials: uploader };
    const store = createS3Store({ destination, partSizeBytes, partConcurrency: 2 });
    const key = 'training-logs/a.log';
    const first = await store.put(requestOf('1', { key }), never);
    const second = await store.put(requestOf('2', { key, condition: { etag: first.etag } }), never);
    await owner.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'foreign' }));
    const stale = store.put(requestOf('3', { key, condition: { etag: second.etag } }), never);
    await expect(stale).rejects.toBeInstanceOf(Conflict);
    expect(String(await bytes(key))).toBe('foreign');
    expect(await versions(key)).toHaveLength(3);
    await store.close();
  });

  test('leaves the parts of a failed upload to the bucket, and asks for no abort', async () => {
    const { bucket, endpoint, region, uploader, owner, versions } = await makeBucket({ versioned: true });
    const destination = { bucket, endpoint, region, pathStyle: true, tags: {}, credentials: uploader };
    const store = createS3Store({ destination, partSizeBytes, partConcurrency: 2 });
    const key = 'training-logs/big.bin';
    const changed = new Error('it changed');
    const source = sourceOf(patternBytes(2 * partSizeBytes + 5), { changed });
    await expect(store.put(requestOf('', { key, source }), never)).rejects.toBe(changed);
    expect(await versions(key)).toEqual([]);
    const left = await owner.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
    expect(left.Uploads?.map(({ Key }) => Key)).toEqual([key]);
    for (const { UploadId } of left.Uploads ?? []) {
      await owner.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId }));
    }
    await store.close();
  });
});

describe('a connection that was kept and is found broken', () => {
  /** Answers the first write, and breaks the connection under the second. */
  async function breakingUnderSecond() {
    let writes = 0;
    return await scriptedS3((request) => {
      if (request.method === 'PUT') writes += 1;
      return request.method === 'PUT' && writes === 2 ? 'reset' : takes(request);
    });
  }
  const writesOf = (requests: readonly ScriptedRequest[]) =>
    requests.filter(({ method }) => method === 'PUT').map(({ url }) => url);

  test('costs nothing where the server keeps a second copy out', async () => {
    const { endpoint, requests } = await breakingUnderSecond();
    const { writer } = engineAt(endpoint);
    await writer.put(requestOf('1', { key: 'a' }), never);
    await writer.put(requestOf('2', { key: 'b' }), never);
    expect(writesOf(requests)).toEqual(['/bucket/a', '/bucket/b', '/bucket/b']);
  });

  test('is a failure where a second copy might be written over somebody else', async () => {
    const { endpoint, requests } = await breakingUnderSecond();
    const facts = { checksum: 'md5', createsOnce: false, replacesExactly: false };
    const memory = new Map([[`endpoint ${endpoint} bucket bucket`, JSON.stringify(facts)]]);
    const { writer } = engineAt(endpoint, { isAws: false, memory });
    await writer.put(requestOf('1', { key: 'a' }), never);
    const second = writer.put(requestOf('2', { key: 'b' }), never);
    await expect(second).rejects.toMatchObject({ kind: 'transient', code: 'ECONNRESET' });
    expect(writesOf(requests)).toEqual(['/bucket/a', '/bucket/b']);
  });
});
