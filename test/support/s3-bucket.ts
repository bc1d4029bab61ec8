import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';

export interface TestCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly sizeBytes: number;
  /** Without quotes. */
  readonly etag: string;
}

export interface TestBucket {
  readonly bucket: string;
  readonly endpoint: string;
  readonly region: string;
  /** Holds nothing but what test/test-bucket-policy.json gives. */
  readonly uploader: TestCredentials;
  readonly ownerCredentials: TestCredentials;
  readonly owner: S3Client;
  /** Every version of every object, by key, newest first. */
  versions(prefix?: string): Promise<ObjectVersion[]>;
  bytes(key: string, versionId?: string): Promise<Buffer>;
}

/** A fresh bucket of the owner under the guide's policy. Nothing needs to be cleaned up: the server is thrown away. */
export async function makeBucket(options: { versioned: boolean } = { versioned: true }): Promise<TestBucket> {
  const endpoint = required('S3_TEST_ENDPOINT');
  const region = required('S3_TEST_REGION');
  const ownerCredentials = credentialsOf('OWNER');
  const owner = new S3Client({
    ...{ endpoint, region, credentials: ownerCredentials, forcePathStyle: true },
    // A server whose store is full answers no write any more, and nobody shall wait for that for ever.
    requestHandler: { requestTimeout: 60_000, throwOnRequestTimeout: true },
  });
  const bucket = `test-${randomBytes(8).toString('hex')}`;
  await owner.send(new CreateBucketCommand({ Bucket: bucket }));
  await owner.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy: policyOf(bucket) }));
  if (options.versioned) {
    const enabled = { Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' as const } };
    await owner.send(new PutBucketVersioningCommand(enabled));
  }
  return {
    bucket,
    endpoint,
    region,
    uploader: credentialsOf('UPLOADER'),
    ownerCredentials,
    owner,
    versions: (prefix) => listVersions(owner, bucket, prefix),
    bytes: (key, versionId) => readBytes(owner, bucket, key, versionId),
  };
}

async function listVersions(owner: S3Client, bucket: string, prefix = ''): Promise<ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  let next: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } | undefined = {};
  while (next !== undefined) {
    // Without encoding, a key with a control character makes the answer invalid XML.
    const page: ListObjectVersionsCommandOutput = await owner.send(
      new ListObjectVersionsCommand({ Bucket: bucket, EncodingType: 'url', Prefix: prefix, ...next }),
    );
    for (const version of page.Versions ?? []) {
      found.push({
        key: decodeKey(version.Key ?? ''),
        versionId: version.VersionId ?? 'null',
        isLatest: version.IsLatest ?? true,
        sizeBytes: version.Size ?? 0,
        etag: (version.ETag ?? '').replaceAll('"', ''),
      });
    }
    const keyMarker = page.NextKeyMarker === undefined ? undefined : decodeKey(page.NextKeyMarker);
    next = page.IsTruncated ? { KeyMarker: keyMarker, VersionIdMarker: page.NextVersionIdMarker } : undefined;
  }
  return found;
}

function decodeKey(encoded: string): string {
  return decodeURIComponent(encoded.replaceAll('+', ' '));
}

async function readBytes(owner: S3Client, bucket: string, key: string, versionId?: string): Promise<Buffer> {
  const which = versionId === undefined ? {} : { VersionId: versionId };
  const answer = await owner.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...which }));
  return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
}

/** test/test-bucket-policy.json for this bucket. */
export function policyOf(bucket: string): string {
  const template = readFileSync(join(import.meta.dirname, '..', 'test-bucket-policy.json'), 'utf8');
  return template.replaceAll('BUCKET', bucket);
}

function credentialsOf(user: 'OWNER' | 'UPLOADER'): TestCredentials {
  return {
    accessKeyId: required(`S3_TEST_${user}_ACCESS_KEY_ID`),
    secretAccessKey: required(`S3_TEST_${user}_SECRET_ACCESS_KEY`),
  };
}

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the S3 server of the tests is there, but ${name} is not set`);
  return value;
}
