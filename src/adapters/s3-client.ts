import { S3Client } from '@aws-sdk/client-s3';
import { type S3Access, watchAnswers } from './s3-access.ts';
import { sendOnce } from './s3-once.ts';

/** Where and how to write; what is not set is left to the bucket. */
export interface S3Destination {
  readonly bucket: string;
  readonly region: string;
  /** Set for anything but AWS itself. */
  readonly endpoint?: string | undefined;
  readonly pathStyle: boolean;
  readonly storageClass?: string | undefined;
  readonly encryption?: 'AES256' | 'aws:kms' | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  /** A fixed key pair, where no `S3Access` is given; without either the SDK looks in its usual places. */
  readonly credentials?: S3Credentials | undefined;
}

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

const connectionTimeoutMs = 10_000;

/**
 * A client that gives up on a connection that is silent for `idleTimeoutMs`; how long a busy one lasts is not limited.
 * With `access` it signs with what that says, credentials and time, and tells it what the answers say. `isRetried`: the
 * caller tries again by itself, so that attempts and their pauses are not multiplied; else the SDK does.
 */
export function createS3Client(
  destination: S3Destination,
  idleTimeoutMs: number,
  access?: S3Access,
  isRetried = false,
): S3Client {
  const { region, endpoint, pathStyle } = destination;
  const credentials =
    access === undefined ? destination.credentials && plain(destination.credentials) : asProvider(access);
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle,
    // A redirected request would be answered by a bucket that nobody named; the region is to be corrected instead.
    followRegionRedirects: false,
    // What conditions a server honours is decided by the endpoint, so none may come from elsewhere.
    ignoreConfiguredEndpointUrls: true,
    requestHandler: { connectionTimeout: connectionTimeoutMs, socketTimeout: idleTimeoutMs },
    ...(isRetried ? { maxAttempts: 1 } : {}),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  if (access !== undefined) watchAnswers(client, access);
  if (isRetried) sendOnce(client, access);
  return client;
}

/** `memoized` keeps the SDK from keeping what it was given once for ever. */
function asProvider({ credentials }: S3Access) {
  const provide = async () => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = await credentials.current();
    return { ...plain({ accessKeyId, secretAccessKey, sessionToken }), ...(expiration && { expiration }) };
  };
  return Object.assign(provide, { memoized: true });
}

/** AWS honours If-None-Match and If-Match on every write; of other servers that is not known. */
export function isAws(endpoint: string | undefined): boolean {
  if (endpoint === undefined) return true;
  return /(^|\.)amazonaws\.com(\.cn)?$/.test(new URL(endpoint).hostname);
}

function plain({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials) {
  return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
}
