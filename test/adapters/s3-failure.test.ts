import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { S3Destination } from '../../src/adapters/s3-client.ts';
import { failureRows, toFailure } from '../../src/adapters/s3-failure.ts';
import { createS3Store } from '../../src/adapters/s3-store.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { ObjectStore } from '../../src/ports/object-store.ts';
import { sourceOf } from '../support/byte-source.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { errorAnswer, isList, listAnswer, type ScriptedAnswer, scriptedS3 } from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const secret = 'wrong-secret-0123456789';
const sessionToken = 'session-token-0123456789';
const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: secret, sessionToken };

function open(destination: Partial<S3Destination>, requestTimeoutMs?: number): ObjectStore {
  return createS3Store({
    destination: { bucket: 'bucket', region: 'us-east-1', pathStyle: true, tags: {}, ...destination },
    partSizeBytes: 5 * 1024 * 1024,
    partConcurrency: 2,
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
  });
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  return expect.fail(`expected a Failure, got ${inspect(error)}`);
}

function put(store: ObjectStore, key = 'training-logs/x.log', body: Buffer | string = 'body') {
  const source = sourceOf(body);
  return store.put(
    { key, source, contentType: 'text/plain', metadata: {}, condition: { absent: true } },
    never,
  );
}

/** Nobody listens there: it was free a moment ago. */
async function closedEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a listening server has no port');
  return `http://127.0.0.1:${address.port}`;
}

describeS3('a person is told by the real server', () => {
  const rows = [
    {
      what: 'a wrong secret',
      code: 'SignatureDoesNotMatch',
      remedy: 'AWS_SECRET_ACCESS_KEY',
      with: { secretAccessKey: secret },
    },
    {
      what: 'an unknown key',
      code: 'InvalidAccessKeyId',
      remedy: 'AWS_ACCESS_KEY_ID',
      with: { accessKeyId: 'NOSUCHKEY' },
    },
    {
      what: 'a missing bucket',
      code: 'NoSuchBucket',
      remedy: "bucket's name",
      bucket: 'no-such-bucket-anywhere',
    },
    { what: 'a forbidden prefix', code: 'AccessDenied', remedy: 'policy', key: 'elsewhere/x.log' },
    { what: 'a refused connection', code: 'ECONNREFUSED', remedy: 'endpoint', isClosed: true },
  ];
  test.each(rows)('of $what as $code, and that nothing else will work before', async (row) => {
    const made = await makeBucket();
    const { bucket = made.bucket, key = 'training-logs/x.log' } = row;
    const endpoint = row.isClosed ? await closedEndpoint() : made.endpoint;
    const given = { ...made.uploader, ...row.with };
    const store = open({ bucket, endpoint, region: made.region, credentials: given });
    // The first write finds out first what the server keeps to, with an object of its own.
    const works = [
      { work: () => store.find(key, never), at: key },
      { work: () => put(store, key), at: row.key ?? 'training-logs/' },
    ];
    for (const { work, at } of works) {
      const failure = await failureOf(work());
      expect(failure).toMatchObject({
        kind: 'blocked',
        code: row.code,
        remedy: expect.stringContaining(row.remedy),
      });
      expect(failure.message).toContain(JSON.stringify(at).slice(0, -1));
      expect(failure.message).toContain(`s3://${bucket}`);
      expect(failure.message).not.toMatch(/\.$/);
      expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(given.secretAccessKey);
    }
    await store.close();
  });
});

describe('a person is told by a scripted server', () => {
  const rows: [ScriptedAnswer, string, Failure['kind'], string | undefined][] = [
    [{ status: 503 }, 'HTTP 503', 'transient', undefined],
    [{ status: 500, body: '<html>not S3' }, 'HTTP 500', 'transient', undefined],
    [{ status: 502, body: 'Bad Gateway' }, 'HTTP 502', 'transient', undefined],
    [{ status: 429 }, 'HTTP 429', 'transient', undefined],
    [{ status: 403 }, 'HTTP 403', 'blocked', 'policy'],
    [{ status: 501 }, 'HTTP 501', 'permanent', 'remove'],
    [{ status: 418 }, 'HTTP 418', 'transient', undefined],
    ['reset', 'ECONNRESET', 'transient', 'http:// or https://'],
    [errorAnswer(500, 'InternalError'), 'InternalError', 'transient', undefined],
    [errorAnswer(400, 'RequestTimeout'), 'RequestTimeout', 'transient', 'http:// or https://'],
    [errorAnswer(400, 'BadDigest'), 'BadDigest', 'transient', undefined],
    [errorAnswer(400, 'XAmzContentSHA256Mismatch'), 'XAmzContentSHA256Mismatch', 'transient', undefined],
    [errorAnswer(409, 'OperationAborted'), 'OperationAborted', 'transient', undefined],
    [errorAnswer(409, 'ConditionalRequestConflict'), 'ConditionalRequestConflict', 'transient', undefined],
    [errorAnswer(400, 'NeverHeardOfThat'), 'NeverHeardOfThat', 'transient', undefined],
    [errorAnswer(301, 'PermanentRedirect'), 'PermanentRedirect', 'blocked', 'AWS_REGION'],
    [
      errorAnswer(400, 'AuthorizationHeaderMalformed'),
      'AuthorizationHeaderMalformed',
      'blocked',
      'AWS_REGION',
    ],
    [errorAnswer(400, 'ExpiredToken'), 'ExpiredToken', 'blocked', 'AWS_SESSION_TOKEN'],
    [errorAnswer(400, 'InvalidToken'), 'InvalidToken', 'blocked', 'AWS_SESSION_TOKEN'],
    [errorAnswer(403, 'RequestTimeTooSkewed'), 'RequestTimeTooSkewed', 'blocked', 'clock'],
    [errorAnswer(403, 'AccessDenied'), 'AccessDenied', 'blocked', 's3:PutObject'],
    [errorAnswer(400, 'EntityTooLarge'), 'EntityTooLarge', 'permanent', 'exclude'],
    [errorAnswer(400, 'KeyTooLongError'), 'KeyTooLongError', 'permanent', 'shorten'],
    [errorAnswer(400, 'InvalidStorageClass'), 'InvalidStorageClass', 'permanent', 'destination.storageClass'],
    [errorAnswer(400, 'InvalidTag'), 'InvalidTag', 'permanent', 'destination.tags'],
    [errorAnswer(400, 'InvalidArgument'), 'InvalidArgument', 'permanent', 'destination settings'],
    [errorAnswer(400, 'KMS.DisabledException'), 'KMS.DisabledException', 'permanent', 'destination.kmsKeyId'],
    [errorAnswer(501, 'NotImplemented'), 'NotImplemented', 'permanent', 'remove'],
  ];
  test.each(rows)('of %j as %s, %s', async (answer, code, kind, remedy) => {
    const { endpoint } = await scriptedS3((request) => (isList(request) ? listAnswer() : answer));
    const failure = await failureOf(put(open({ endpoint, credentials })));
    expect(failure).toMatchObject({ code, kind });
    if (remedy === undefined) expect(failure.remedy).toBeUndefined();
    else expect(failure.remedy).toContain(remedy);
  });

  test('of SlowDown, with the time that the server asks for', async () => {
    const slow = errorAnswer(503, 'SlowDown', '', { 'retry-after': '1' });
    const { endpoint, requests } = await scriptedS3((request) => (isList(request) ? listAnswer() : slow));
    const failure = await failureOf(put(open({ endpoint, credentials })));
    expect(failure).toMatchObject({
      code: 'SlowDown',
      kind: 'transient',
      retryAfterMs: 1000,
      throttled: true,
    });
    // Nobody tries again by himself: all of us are to ask for less.
    expect(requests.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  test('and never of a secret or a token, even if the server repeats it', async () => {
    const more = `<Token-0>${sessionToken}</Token-0><SignatureProvided>x</SignatureProvided>`;
    const { endpoint } = await scriptedS3(() => errorAnswer(400, 'ExpiredToken', more));
    const failure = await failureOf(open({ endpoint, credentials }).find('a', never));
    const everything = inspect(failure, { depth: 20, showHidden: true });
    expect(everything).not.toContain(sessionToken);
    expect(everything).not.toContain(secret);
  });

  test('of an answer of 200 that holds an error, when the parts are put together', async () => {
    const { endpoint } = await scriptedS3((request) => {
      if (isList(request)) return listAnswer();
      if (request.url.includes('uploads')) {
        const body = '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>';
        return { status: 200, body };
      }
      if (request.method === 'PUT') return { status: 200, headers: { etag: '"part"' } };
      return errorAnswer(200, 'InternalError');
    });
    const failure = await failureOf(put(open({ endpoint, credentials }), 'a', Buffer.alloc(6 * 1024 * 1024)));
    expect(failure).toMatchObject({ code: 'InternalError', kind: 'transient' });
  });

  test('of a list that is no list, instead of believing that nothing is there', async () => {
    const { endpoint } = await scriptedS3(() => ({ status: 200, body: '<html><body>Welcome</body></html>' }));
    const failure = await failureOf(open({ endpoint, credentials }).find('a', never));
    expect(failure).toMatchObject({ kind: 'blocked', code: 'UnreadableAnswer' });
    const { endpoint: lost } = await scriptedS3(() => ({ status: 404, body: '<html>not here</html>' }));
    expect(await failureOf(open({ endpoint: lost, credentials }).find('a', never))).toMatchObject({
      kind: 'blocked',
      code: 'UnreadableAnswer',
    });
    const { endpoint: garbage } = await scriptedS3(() => ({ status: 200, body: '\u0000<<<' }));
    expect((await failureOf(open({ endpoint: garbage, credentials }).find('a', never))).kind).toBe(
      'transient',
    );
  });

  test('of a connection that stays silent', async () => {
    const { endpoint } = await scriptedS3(() => 'hang');
    const store = open({ endpoint, credentials }, 200);
    expect(await failureOf(store.find('a', never))).toMatchObject({
      kind: 'transient',
      code: 'TimeoutError',
    });
    expect(await failureOf(put(store))).toMatchObject({ kind: 'transient', code: 'TimeoutError' });
  });

  test('of bytes that did not arrive as they were read, with both ETags', async () => {
    const other = 'ffffffffffffffffffffffffffffffff';
    const answer = { status: 200, headers: { etag: `"${other}"` } };
    const { endpoint } = await scriptedS3((request) => (isList(request) ? listAnswer() : answer));
    const failure = await failureOf(put(open({ endpoint, credentials })));
    expect(failure).toMatchObject({ kind: 'transient', code: 'IntegrityMismatch' });
    expect(failure.message).toContain(other);
    expect(failure.message).toContain('841a2d689ad86bd1611447453c22c6fc');
  });
});

describe('toFailure()', () => {
  test.each([
    ['CredentialsProviderError', 'blocked'],
    ['TimeoutError', 'transient'],
  ])('knows an error by its name %s: %s', (name, kind) => {
    const error = Object.assign(new Error('Could not load credentials from any providers'), { name });
    expect(toFailure(error, 'writing "a"', never)).toMatchObject({ kind, code: name });
  });

  test.each([
    ['ENOTFOUND', 'blocked'],
    ['EAI_AGAIN', 'blocked'],
    ['ETIMEDOUT', 'blocked'],
    ['EHOSTUNREACH', 'blocked'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'blocked'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'blocked'],
    ['EPIPE', 'transient'],
    ['ECONNRESET', 'transient'],
  ])('knows an error by its errno %s: %s', (code, kind) => {
    const error = Object.assign(new Error('the system says no'), { code, name: 'TimeoutError' });
    expect(toFailure(error, 'writing "a"', never)).toMatchObject({ kind, code });
  });

  test('calls everything cancelled once we stopped, and what our own deadline ended a time-out', () => {
    const error = Object.assign(new Error('aborted'), { name: 'AbortError' });
    expect(toFailure(error, 'writing "a"', AbortSignal.abort())).toMatchObject({ kind: 'cancelled' });
    expect(toFailure(error, 'writing "a"', never)).toMatchObject({ kind: 'transient', code: 'TimeoutError' });
    const cancelled = new Failure({ kind: 'cancelled', code: 'AbortError', attempted: 'looking' });
    expect(toFailure(cancelled, 'writing "a"', never)).toMatchObject({
      kind: 'transient',
      code: 'TimeoutError',
    });
  });

  test.each([
    ['AccessDenied', true],
    ['HTTP 403', true],
    ['InvalidAccessKeyId', true],
    ['SignatureDoesNotMatch', true],
    ['ExpiredToken', true],
    ['CredentialsProviderError', true],
    ['NoSuchBucket', false],
    ['RequestTimeTooSkewed', false],
    ['QuotaExceeded', false],
    ['ECONNREFUSED', false],
    ['InvalidStorageClass', false],
    ['SlowDown', false],
  ])('says whether %s is a refusal for who we are, or what we may: %s', (name, denied) => {
    const status = name === 'HTTP 403' ? { name: 'Unknown', $metadata: { httpStatusCode: 403 } } : { name };
    expect(toFailure(Object.assign(new Error('no'), status), 'writing "a"', never)).toMatchObject({ denied });
  });

  test('takes whatever was thrown', () => {
    for (const thrown of [undefined, null, 'text', 7, {}, new Error('')]) {
      expect(toFailure(thrown, 'writing "a"', never)).toMatchObject({ kind: 'transient', code: 'Unknown' });
    }
  });
});

type Expected = readonly [kind: Failure['kind'], remedy: string | undefined, codes: string, throttled?: true];

/** What a person is told, by what is answered. Codes of AWS, MinIO, Ceph, R2, GCS, proxies, the SDK, and errno. */
const expected: readonly Expected[] = [
  ['blocked', 'AWS_SECRET_ACCESS_KEY', 'SignatureDoesNotMatch InvalidSignatureException IncompleteSignature'],
  [
    'blocked',
    'deactivated',
    'InvalidAccessKeyId InvalidClientTokenId UnrecognizedClientException AuthFailure',
  ],
  ['blocked', 'AWS_SESSION_TOKEN', 'ExpiredToken ExpiredTokenException InvalidToken TokenRefreshRequired'],
  [
    'blocked',
    'Authorization',
    'MissingSecurityHeader MissingAuthenticationToken InvalidSecurity CredentialsNotSupported AuthenticationFailed HTTP_401',
  ],
  ['blocked', 'profile', 'CredentialsProviderError ProviderError TokenProviderError'],
  ['blocked', 'HOME', 'ERR_SYSTEM_ERROR'],
  ['blocked', 'NTP', 'RequestTimeTooSkewed RequestExpired RequestInTheFuture'],
  ['blocked', 's3:PutObject', 'AccessDenied AccessForbidden UnauthorizedAccess HTTP_403'],
  [
    'blocked',
    'account',
    'AllAccessDisabled AccountProblem NotSignedUp OptInRequired InvalidPayer NotEntitled UserSuspended UserProjectAccountProblem UserProjectMissing HTTP_402',
  ],
  [
    'blocked',
    'quota',
    'QuotaExceeded XMinioAdminBucketQuotaExceeded XMinioStorageFull XMinioStorageResourceInsufficient StorageQuotaExceeded InsufficientStorage HTTP_507',
  ],
  ['blocked', "bucket's name, its case included, its region", 'NoSuchBucket InvalidBucketName'],
  [
    'blocked',
    'AWS_REGION',
    'PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed IllegalLocationConstraintException InvalidRegion HTTP_301 HTTP_307 HTTP_308',
  ],
  ['blocked', 'no S3 server', 'HTTP_302 HTTP_303 UnreadableAnswer'],
  ['blocked', 'proxy', 'HTTP_407'],
  ['blocked', 'endpoint is right and up', 'ECONNREFUSED'],
  ['blocked', "endpoint's name", 'ENOTFOUND EAI_AGAIN EAI_FAIL'],
  [
    'blocked',
    'firewall',
    'ETIMEDOUT ENETUNREACH EHOSTUNREACH EHOSTDOWN ENETDOWN EADDRNOTAVAIL ConnectTimeout',
  ],
  [
    'blocked',
    'NODE_EXTRA_CA_CERTS',
    'CERT_HAS_EXPIRED CERT_NOT_YET_VALID DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT_LOCALLY ERR_TLS_CERT_ALTNAME_INVALID ERR_SSL_WRONG_VERSION_NUMBER ERR_OSSL_EVP_UNSUPPORTED HOSTNAME_MISMATCH INVALID_CA EPROTO HPE_INVALID_CONSTANT',
  ],
  [
    'permanent',
    'shorten its path',
    'EntityTooLarge KeyTooLongError KeyTooLong MaxMessageLengthExceeded MetadataTooLarge XMinioInvalidObjectName HTTP_413 HTTP_414 HTTP_431',
  ],
  ['permanent', 'destination.storageClass', 'InvalidStorageClass'],
  ['permanent', 'destination.tags', 'InvalidTag'],
  [
    'permanent',
    'destination.kmsKeyId',
    'KMS.DisabledException KMS.NotFoundException KMS.KMSInvalidStateException KMS.InvalidStateException KMS.InvalidKeyUsageException KMSDisabled',
  ],
  ['permanent', 'destination.encryption', 'InvalidEncryptionAlgorithmError InvalidEncryptionMethod'],
  ['permanent', 'archived', 'InvalidObjectState'],
  [
    'permanent',
    'refuses the request itself',
    'InvalidArgument InvalidRequest MalformedXML MethodNotAllowed MissingContentLength HTTP_405 HTTP_411',
  ],
  ['permanent', 'remove it', 'NotImplemented HTTP_501'],
  [
    'transient',
    undefined,
    'SlowDown SlowDownRead SlowDownWrite Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException KMS.ThrottlingException TooManyRequests TooManyRequestsException RequestLimitExceeded RateLimitExceeded rateLimitExceeded userRateLimitExceeded BandwidthLimitExceeded LimitExceededException EC2ThrottledException ServiceUnavailable ServerBusy Busy XMinioServerNotInitialized HTTP_429 HTTP_503 HTTP_509 HTTP_529',
    true,
  ],
  [
    'transient',
    undefined,
    'InternalError InternalFailure NoSuchUpload NoSuchKey NotFound InvalidPart InvalidPartOrder EntityTooSmall IncompleteBody BadDigest InvalidDigest XAmzContentSHA256Mismatch XAmzContentChecksumMismatch OperationAborted ConditionalRequestConflict PreconditionFailed HTTP_400 HTTP_404 HTTP_408 HTTP_409 HTTP_412 HTTP_425 HTTP_500 HTTP_502 HTTP_504 HTTP_520 HTTP_524 HTTP_530',
  ],
  [
    'transient',
    'http:// or https://',
    'RequestTimeout TimeoutError ECONNRESET ECONNABORTED EPIPE ERR_STREAM_PREMATURE_CLOSE',
  ],
  ['transient', 'LimitNOFILE', 'EMFILE ENFILE ENOBUFS ENOMEM'],
];
const cases = expected.flatMap(([kind, remedy, codes, throttled = false]) =>
  codes.split(' ').map((code) => ({
    code: code.replace('_', code.startsWith('HTTP_') ? ' ' : '_'),
    kind,
    remedy,
    throttled,
  })),
);

describe('the table of failures', () => {
  test.each(cases)('takes $code for $kind', ({ code, kind, remedy, throttled }) => {
    const status = /^HTTP (\d+)$/.exec(code)?.[1];
    // As the SDK has it: a code by its name; without one, only a status; errno beside the name of the time-out.
    const error =
      status === undefined
        ? Object.assign(
            new Error('no'),
            /^[A-Z]+_|^E[A-Z]+$/.test(code) ? { code, name: 'TimeoutError' } : { name: code },
          )
        : Object.assign(new Error('UnknownError'), {
            name: 'Unknown',
            $metadata: { httpStatusCode: Number(status) },
          });
    const failure = toFailure(error, 'writing "a"', never);
    expect(failure).toMatchObject({ kind, code, throttled });
    if (remedy === undefined) expect(failure.remedy).toBeUndefined();
    else expect(failure.remedy).toContain(remedy);
    if (kind === 'blocked' || kind === 'permanent') expect(failure.remedy).toBeTruthy();
  });

  test('has no row that is not named here, and names no code twice', () => {
    const codes = failureRows.flatMap((row) => row.codes);
    expect(new Set(codes).size).toBe(codes.length);
    const isNamed = (code: string) =>
      cases.some((named) =>
        code.endsWith('*') ? named.code.startsWith(code.slice(0, -1)) : named.code === code,
      );
    expect(codes.filter((code) => !isNamed(code))).toEqual([]);
  });

  test.each([
    ['7', {}, 7000],
    ['0', {}, 0],
    ['Tue, 05 May 2026 12:00:30 GMT', { date: 'Tue, 05 May 2026 12:00:00 GMT' }, 30_000],
    ['Tue, 05 May 2026 11:00:00 GMT', { date: 'Tue, 05 May 2026 12:00:00 GMT' }, undefined],
    ['Tue, 05 May 2026 12:00:30 GMT', {}, undefined],
    ['Wed, 05 May 2027 12:00:00 GMT', { date: 'Tue, 05 May 2026 12:00:00 GMT' }, 3_600_000],
    ['soon', {}, undefined],
    ['-5', {}, undefined],
  ])('reads Retry-After: %s with %j as %s ms', (value, more, ms) => {
    const $response = { headers: { 'retry-after': value, ...more } };
    const error = Object.assign(new Error('no'), { name: 'SlowDown', $response });
    expect(toFailure(error, 'writing "a"', never).retryAfterMs).toBe(ms);
  });

  test.each([
    ['a key id', 'The key AKIAIOSFODNN7EXAMPLE is unknown', 'AKIAIOSFODNN7EXAMPLE', 'AKIA…'],
    ['a signature', 'got Signature=abcdef0123456789abcdef', 'abcdef0123456789abcdef', '[redacted]'],
    ['a token', 'X-Amz-Security-Token: FwoGZXIvYXdzEBYaDN', 'FwoGZXIvYXdzEBYaDN', '[redacted]'],
    ['a long blob', `refused ${'aB3/'.repeat(80)}`, 'aB3/aB3/', '[redacted]'],
  ])('leaves %s out of what it says', (_, message, hidden, shown) => {
    const error = Object.assign(new Error(message), { name: 'InvalidToken' });
    const failure = toFailure(error, 'writing "a"', never);
    expect(inspect(failure, { depth: 20, showHidden: true })).not.toContain(hidden);
    expect(failure.message).toContain(shown);
  });
});
