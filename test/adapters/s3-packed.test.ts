import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { createDirectoryStore } from '../../src/adapters/directory-store.ts';
import { createS3Store } from '../../src/adapters/s3-store.ts';
import { contractPartSizeBytes } from '../contracts/object-store.ts';
import { packedObjectContract } from '../contracts/packed-objects.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { listAnswer, scriptedS3 } from '../support/scripted-s3.ts';

/** As the restricted user: whatever the policy denies fails the suite. */
function storeOf({ bucket, endpoint, region, uploader }: TestBucket) {
  return createS3Store({
    destination: { bucket, endpoint, region, pathStyle: true, tags: {}, credentials: uploader },
    partSizeBytes: contractPartSizeBytes,
    partConcurrency: 4,
  });
}

for (const versioned of [true, false]) {
  const name = versioned ? 'S3, versions kept' : 'S3, no versions';
  describeS3(name, () => {
    let made: Promise<TestBucket> | undefined;
    const bucket = () => {
      made ??= makeBucket({ versioned });
      return made;
    };
    packedObjectContract(name, {
      open: async () => storeOf(await bucket()),
      visible: async (prefix) => (await (await bucket()).versions(prefix)).map(({ key }) => key),
      bytes: async (key) => (await bucket()).bytes(key),
    });
  });
}

const root = await mkdtemp(join(tmpdir(), 'trainlogd-test-'));
afterAll(() => rm(root, { recursive: true, force: true }));
packedObjectContract('directory', {
  open: async () => createDirectoryStore({ path: root }),
  visible: async (prefix) => {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    return files
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .filter((key) => key.startsWith(prefix));
  },
  bytes: (key) => readFile(join(root, key)),
});

/** A server that keeps checksums, as AWS does, and whose ETags say nothing, as under KMS. */
async function checksumKeeper(corrupt: boolean) {
  const parts: Buffer[] = [];
  const object = () => Buffer.concat(parts);
  let isThere = false;
  const server = await scriptedS3(({ method, url, headers, body }) => {
    if (method === 'PUT' && url.includes('partNumber')) {
      parts[Number(/partNumber=(\d+)/.exec(url)?.[1]) - 1] = body;
      return {
        status: 200,
        headers: { etag: '"opaque"', 'x-amz-checksum-crc32': `${headers['x-amz-checksum-crc32']}` },
      };
    }
    if (method === 'PUT')
      return {
        status: 200,
        headers: { etag: '"probe"', 'x-amz-checksum-crc32': `${headers['x-amz-checksum-crc32']}` },
      };
    if (method === 'POST' && url.includes('uploads'))
      return {
        status: 200,
        body: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
      };
    if (method === 'POST') {
      isThere = true;
      return {
        status: 200,
        body: '<CompleteMultipartUploadResult><ETag>"opaque-2"</ETag></CompleteMultipartUploadResult>',
      };
    }
    if (method === 'GET') return isThere ? listAnswer('big.log.gz') : listAnswer();
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(corrupt ? Buffer.from('other') : object()));
    return {
      status: 200,
      headers: {
        etag: '"opaque-2"',
        'content-length': `${object().length}`,
        'x-amz-checksum-crc32': sum.toString('base64'),
      },
    };
  });
  const store = createS3Store({
    destination: {
      bucket: 'bucket',
      endpoint: server.endpoint,
      region: 'us-east-1',
      pathStyle: true,
      tags: {},
      credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    },
    partSizeBytes: contractPartSizeBytes,
    partConcurrency: 2,
    checksums: 'crc32',
  });
  const source = Object.assign(sourceOf(patternBytes(6 * 1024 * 1024)), { encoding: 'gzip' as const });
  const request = {
    key: 'big.log.gz',
    source,
    contentType: 'application/gzip',
    metadata: {},
    condition: { absent: true as const },
  };
  return { put: () => store.put(request, new AbortController().signal), requests: server.requests, object };
}

describe('where checksums are kept, a packed object in parts', () => {
  test('has one of the whole, and it is compared', async () => {
    const { put, requests, object } = await checksumKeeper(false);
    const receipt = await put();
    expect(receipt).toMatchObject({ etag: 'opaque-2', sizeBytes: object().length });
    const begun = requests.find(({ method, url }) => method === 'POST' && url.includes('uploads'));
    expect(begun?.headers).toMatchObject({
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-checksum-algorithm': 'CRC32',
    });
    const completed = requests.find(({ method, url }) => method === 'POST' && url.includes('uploadId'));
    expect(completed?.headers).toMatchObject({ 'x-amz-checksum-type': 'FULL_OBJECT' });
  });

  test('that holds other bytes is no receipt', async () => {
    const { put } = await checksumKeeper(true);
    await expect(put()).rejects.toMatchObject({ kind: 'transient', code: 'IntegrityMismatch' });
  });
});
