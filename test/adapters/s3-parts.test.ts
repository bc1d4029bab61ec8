import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Conflict, PartsRefused, UploadGone } from '../../src/domain/failure.ts';
import { growingLayout, type PartRange } from '../../src/domain/part-layout.ts';
import type { PartUpload, SentPart } from '../../src/ports/part-store.ts';
import { crc32Of, etagOfParts, md5Of } from '../fakes/memory-digest.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';
import { type EngineOptions, engineAt, engineCredentials } from '../support/s3-engine.ts';
import {
  errorAnswer,
  isList,
  listAnswer,
  type ScriptedAnswer,
  type ScriptedRequest,
  scriptedS3,
} from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const absent = { absent: true } as const;
const key = 'training-logs/big.bin';
const first = (sizeBytes: number): PartRange => ({ number: 1, position: 0, sizeBytes });

function uploadOf(checksum: PartUpload['checksum'] = 'crc32'): PartUpload {
  return { key, uploadId: 'u/1+', checksum, layout: growingLayout(100) };
}

/** Two parts, as they were sent, and the object that they make. */
const bytes = patternBytes(150);
const sent: SentPart[] = [bytes.subarray(0, 100), bytes.subarray(100)].map((part, at) => ({
  number: at + 1,
  sizeBytes: part.length,
  etag: md5Of(part),
  crc32: crc32Of(part),
}));
const etag = etagOfParts(sent.map((part) => part.etag));

const isComplete = ({ method, url }: ScriptedRequest) => method === 'POST' && url.includes('uploadId=');
const head = (more: Record<string, string>): ScriptedAnswer => ({
  status: 200,
  headers: { 'content-length': '150', ...more },
});

/** Answers `answer` to the request that completes; the object is there afterwards, or is not. */
async function completing(
  answer: ScriptedAnswer,
  there: ScriptedAnswer | undefined,
  {
    token,
    origin,
    ...options
  }: EngineOptions & { readonly token?: string | undefined; readonly origin?: string } = {},
) {
  let isDone = false;
  const server = await scriptedS3((request) => {
    if (isComplete(request)) isDone = true;
    if (isComplete(request)) return answer;
    if (isList(request)) return isDone && there !== undefined ? listAnswer(key) : listAnswer();
    if (request.method === 'HEAD') return there ?? errorAnswer(404, 'NotFound');
    return errorAnswer(404, 'NoSuchUpload');
  });
  const { parts, refusals } = engineAt(server.endpoint, options);
  const upload = { ...uploadOf(options.checksums === 'md5' ? 'md5' : 'crc32'), token, origin };
  const result = parts.complete(upload, sent, absent, never);
  return { result, requests: server.requests, refusals };
}

const receipt = { etag, sizeBytes: 150, crc32: crc32Of(bytes), partSizeBytes: 100 };
const internalError =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>try again</Message></Error>';

describe('complete() is settled by looking', () => {
  const ours = head({ etag: `"${etag}"` });
  const kms = head({ etag: `"${'a'.repeat(32)}-2"`, 'x-amz-checksum-crc32': crc32Of(bytes) });
  const other = head({ etag: `"${'b'.repeat(32)}-2"` });

  test.each<[string, ScriptedAnswer]>([
    ['an error inside a success', { status: 200, body: internalError }],
    ['a lost answer', 'reset'],
    ['an unknown upload, since it was done before', errorAnswer(404, 'NoSuchUpload')],
    ['a condition that fails, since it was done before', errorAnswer(412, 'PreconditionFailed')],
    ['an answer without an ETag', { status: 200, body: '<CompleteMultipartUploadResult/>' }],
    ['an internal error', errorAnswer(500, 'InternalError')],
    ['a page of a proxy', { status: 502, body: '<html><body>Bad gateway' }],
  ])('after %s', async (_, answer) => {
    expect(await (await completing(answer, ours)).result).toEqual(receipt);
    expect(await (await completing(answer, ours, { isAws: false, checksums: 'md5' })).result).toEqual(
      receipt,
    );
    expect(await (await completing(answer, kms)).result).toMatchObject({ crc32: receipt.crc32 });
  });

  test.each<[string, ScriptedAnswer, ScriptedAnswer | undefined, object]>([
    ['an error inside a success', { status: 200, body: internalError }, undefined, { kind: 'transient' }],
    ['a lost answer', 'reset', undefined, { kind: 'transient', code: 'ECONNRESET' }],
    ['a lost answer', 'reset', other, { kind: 'transient' }],
    ['an unknown upload', errorAnswer(404, 'NoSuchUpload'), undefined, { name: 'UploadGone' }],
    ['an unknown upload', errorAnswer(404, 'NoSuchUpload'), other, { name: 'UploadGone' }],
    ['parts that are not there', errorAnswer(400, 'InvalidPart'), undefined, { code: 'InvalidPart' }],
    ['parts that are too small', errorAnswer(400, 'EntityTooSmall'), undefined, { name: 'PartsRefused' }],
    ['parts with other bytes', errorAnswer(400, 'BadDigest'), undefined, { name: 'UploadGone' }],
    ['a condition that fails', errorAnswer(412, 'PreconditionFailed'), other, { name: 'Conflict' }],
    ['a denial', errorAnswer(403, 'AccessDenied'), undefined, { kind: 'blocked', code: 'AccessDenied' }],
  ])('after %s, with nothing or other bytes there', async (_, answer, there, expected) => {
    const { result } = await completing(answer, there);
    await expect(result).rejects.toMatchObject(expected);
  });

  test('and tells how parts are to be cut when it refuses them, whatever else happens', async () => {
    const { result, refusals } = await completing(errorAnswer(400, 'InvalidPart'), undefined);
    await expect(result).rejects.toBeInstanceOf(PartsRefused);
    expect(refusals).toHaveLength(1);
    const gone = await completing(errorAnswer(404, 'NoSuchUpload'), undefined);
    await expect(gone.result).rejects.toBeInstanceOf(UploadGone);
    expect(gone.refusals).toEqual([]);
  });

  describe('by the token of the upload, where KMS makes the ETag no MD5 and no checksum is kept', () => {
    const lost = errorAnswer(500, 'InternalError');
    const opaque = (upload: Record<string, string>) =>
      head({ etag: `"${'a'.repeat(32)}-2"`, 'x-amz-server-side-encryption': 'aws:kms', ...upload });
    const options = { checksums: 'md5', token: 't1' } as const;
    const tokenOf = (token: string) => ({ 'x-amz-meta-upload': token });

    test.each([true, false])('that is there, on AWS: %s', async (isAws) => {
      const { result } = await completing(lost, opaque(tokenOf('t1')), { ...options, isAws });
      expect(await result).toEqual({ ...receipt, etag: `${'a'.repeat(32)}-2` });
    });

    test('with nothing of another upload, of none, and of another size', async () => {
      for (const there of [
        opaque(tokenOf('t2')),
        opaque({}),
        opaque({ ...tokenOf('t1'), 'content-length': '9' }),
      ])
        await expect((await completing(lost, there, options)).result).rejects.toMatchObject({
          kind: 'transient',
        });
    });

    test('and an answer that says nothing of the object is not believed for another one', async () => {
      const success = { status: 200, body: '<C/>' };
      const other = (await completing(success, opaque(tokenOf('t2')), options)).result;
      await expect(other).rejects.toMatchObject({ code: 'IntegrityMismatch' });
      const { etag } = await (await completing(success, opaque(tokenOf('t1')), options)).result;
      expect(etag).toBe(`${'a'.repeat(32)}-2`);
    });
  });

  test('and says when the same bytes were put there by another upload', async () => {
    const there = head({ etag: `"${etag}"`, 'x-amz-meta-upload': 't2' });
    const { result } = await completing(errorAnswer(412, 'PreconditionFailed'), there, { token: 't1' });
    expect(await result).toEqual({ ...receipt, byOther: true });
  });

  test.each<[string, string | undefined, boolean]>([
    ['with a token, on AWS', 't1', true],
    ['with a token, elsewhere', 't1', false],
    ['of an earlier version, without one', undefined, true],
  ])('and the same bytes as an object of another session are a Conflict: %s', async (_, token, isAws) => {
    const metadata = { ...(token !== undefined && { 'x-amz-meta-upload': 't2' }), 'x-amz-meta-origin': 'o2' };
    const there = head({ etag: `"${etag}"`, ...metadata });
    const refused = errorAnswer(412, 'PreconditionFailed');
    const { result } = await completing(refused, there, { token, isAws, origin: 'o1' });
    await expect(result).rejects.toBeInstanceOf(Conflict);
    const own = { ...metadata, 'x-amz-meta-origin': 'o1' };
    const ofOurs = head({ etag: `"${etag}"`, ...own });
    expect(await (await completing(refused, ofOurs, { token, isAws, origin: 'o1' })).result).toMatchObject(
      receipt,
    );
  });

  test('where the server has 500 for an upload that it does not know', async () => {
    const { result, requests } = await completing(errorAnswer(500, 'InternalError'), undefined, {
      isAws: false,
    });
    await expect(result).rejects.toBeInstanceOf(UploadGone);
    expect(requests.at(-1)?.headers['content-md5']).toBe(Buffer.alloc(16).toString('base64'));
  });

  test('and says what it expects where the server keeps checksums', async () => {
    const { result, requests } = await completing({ status: 200, body: '<C/>' }, ours);
    await result;
    const request = requests.find(isComplete);
    expect(request?.headers).toMatchObject({
      'x-amz-checksum-crc32': receipt.crc32,
      'x-amz-checksum-type': 'FULL_OBJECT',
      'x-amz-mp-object-size': '150',
      'if-none-match': '*',
    });
    expect(String(request?.body)).toContain(sent[1]?.etag);
  });
});

describe('begin()', () => {
  const created = (headers: Record<string, string> = {}): ScriptedAnswer => ({
    status: 200,
    headers,
    body: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
  });
  const begin = { key, contentType: 'text/plain', metadata: { session: 's' } };
  const kind = 'x-amz-checksum-type';
  const algorithm = 'x-amz-checksum-algorithm';
  /** Two draws of one half. */
  const token = '800000000000'.repeat(2);

  test('agrees on one CRC-32 of the whole', async () => {
    const { endpoint, requests } = await scriptedS3(() =>
      created({ [kind]: 'FULL_OBJECT', [algorithm]: 'CRC32' }),
    );
    const begun = await engineAt(endpoint, { firstBytes: 100 }).parts.begin(begin, never);
    expect(begun).toEqual({ uploadId: 'u1', checksum: 'crc32', layout: growingLayout(100), token });
    expect(requests[0]?.headers).toMatchObject({
      [kind]: 'FULL_OBJECT',
      [algorithm]: 'CRC32',
      'x-amz-meta-session': 's',
      'x-amz-meta-part-size': '100',
      'x-amz-meta-upload': token,
    });
  });

  test('takes MD5s where the server says nothing of checksums', async () => {
    const { endpoint, requests } = await scriptedS3(() => created());
    const begun = await engineAt(endpoint).parts.begin(begin, never);
    expect(begun.checksum).toBe('md5');
    expect(requests).toHaveLength(1);
  });

  test('asks for none where the server agrees to less than the whole', async () => {
    const { endpoint, requests } = await scriptedS3(({ headers }) =>
      created(headers[algorithm] === undefined ? {} : { [kind]: 'COMPOSITE', [algorithm]: 'CRC32' }),
    );
    const begun = await engineAt(endpoint).parts.begin(begin, never);
    expect(begun.checksum).toBe('md5');
    expect(requests.map(({ headers }) => headers[algorithm])).toEqual(['CRC32', undefined]);
  });

  test('takes no page of a captive portal for an upload', async () => {
    const { endpoint } = await scriptedS3(() => ({ status: 200, body: '<html><body>Welcome</body></html>' }));
    const error = await engineAt(endpoint)
      .parts.begin(begin, never)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'Failure' });
  });
});

describe('send()', () => {
  const echo = ({ headers, body }: ScriptedRequest): ScriptedAnswer => ({
    status: 200,
    headers: {
      etag: `"${md5Of(body)}"`,
      'x-amz-checksum-crc32': String(headers['x-amz-checksum-crc32'] ?? ''),
    },
  });

  test.each(['crc32', 'md5'] as const)(
    'names part and upload, and how the bytes are checked: %s',
    async (checksum) => {
      const { endpoint, requests } = await scriptedS3(echo);
      const { parts } = engineAt(endpoint, { firstBytes: 100 });
      expect(await parts.send(uploadOf(checksum), first(100), sourceOf(bytes), never)).toEqual(sent[0]);
      const [request] = requests;
      expect(request?.url).toBe('/bucket/training-logs/big.bin?partNumber=1&uploadId=u%2F1%2B');
      const md5 = Buffer.from(md5Of(bytes.subarray(0, 100)), 'hex').toString('base64');
      const { 'content-md5': sentMd5, 'x-amz-checksum-crc32': sentCrc32 } = request?.headers ?? {};
      expect([sentMd5, sentCrc32]).toEqual(
        checksum === 'md5' ? [md5, undefined] : [undefined, sent[0]?.crc32],
      );
    },
  );

  test.each<[string, PartUpload['checksum'], Record<string, string>]>([
    ['ETag', 'md5', { etag: `"${'0'.repeat(32)}"` }],
    ['checksum', 'crc32', { etag: '"any"', 'x-amz-checksum-crc32': 'AAAAAA==' }],
  ])('fails when the server names another %s', async (_, checksum, headers) => {
    const { endpoint } = await scriptedS3(() => ({ status: 200, headers }));
    const sending = engineAt(endpoint).parts.send(uploadOf(checksum), first(100), sourceOf(bytes), never);
    await expect(sending).rejects.toMatchObject({ code: 'IntegrityMismatch', kind: 'transient' });
  });

  test('believes no success without an ETag', async () => {
    const { endpoint } = await scriptedS3(() => ({ status: 200, body: '<html>Welcome</html>' }));
    const sending = engineAt(endpoint).parts.send(uploadOf(), first(100), sourceOf(bytes), never);
    await expect(sending).rejects.toMatchObject({ code: 'UnreadableAnswer', kind: 'blocked' });
  });

  test.each<[string, readonly ScriptedAnswer[], number]>([
    ['passes over two failures that may pass', [errorAnswer(500, 'InternalError'), 'reset'], 3],
    ['passes over bytes that were damaged on their way', [errorAnswer(400, 'BadDigest')], 2],
  ])('%s', async (_, answers, count) => {
    const left = [...answers];
    const { endpoint, requests } = await scriptedS3((request) => left.shift() ?? echo(request));
    expect(await engineAt(endpoint).parts.send(uploadOf(), first(100), sourceOf(bytes), never)).toEqual(
      sent[0],
    );
    expect(requests).toHaveLength(count);
  });

  test.each<[ScriptedAnswer, number, object]>([
    [errorAnswer(500, 'InternalError'), 3, { kind: 'transient', code: 'InternalError' }],
    [errorAnswer(503, 'SlowDown'), 1, { kind: 'transient', throttled: true }],
    [errorAnswer(500, 'InternalError', '', { 'retry-after': '7' }), 1, { retryAfterMs: 7_000 }],
    [errorAnswer(403, 'AccessDenied'), 1, { kind: 'blocked' }],
    [errorAnswer(404, 'NoSuchUpload'), 1, { name: 'UploadGone' }],
    [{ status: 503, body: '\u0000<Error><Code>' }, 1, { code: 'HTTP 503' }],
    [{ status: 500, body: 'x'.repeat(200_000) }, 3, { code: 'HTTP 500' }],
  ])('leaves %j to the caller after %i requests', async (answer, count, expected) => {
    const { endpoint, requests } = await scriptedS3(() => answer);
    const sending = engineAt(endpoint).parts.send(uploadOf(), first(100), sourceOf(bytes), never);
    await expect(sending).rejects.toMatchObject(expected);
    expect(requests).toHaveLength(count);
  });

  test('tells no secret when the server repeats what it was sent', async () => {
    const { endpoint } = await scriptedS3(({ headers }) =>
      errorAnswer(403, 'SignatureDoesNotMatch', `<StringToSign>${headers.authorization}</StringToSign>`),
    );
    const credentials = { ...engineCredentials, sessionToken: 'TOKENTOKENTOKEN' };
    const { parts } = engineAt(endpoint, { destination: { credentials } });
    const error = await parts
      .send(uploadOf(), first(100), sourceOf(bytes), never)
      .catch((thrown: unknown) => thrown);
    const { message, cause, stack } = error as Error & { cause: Error };
    const all = JSON.stringify([message, stack, cause.message, cause.stack, { ...cause }]);
    expect(all).toContain('SignatureDoesNotMatch');
    expect(all).not.toMatch(/TOKENTOKEN|Signature=|AWS4-HMAC/);
  });

  /** Answers as soon as anything arrives, and closes, as servers do that do not read what they refuse. */
  async function refusing(declaredBytes: number, end: 'end' | 'destroySoon') {
    const seen = { bytes: 0 };
    const refusal = '<Error><Code>ExpiredToken</Code><Message>expired</Message></Error>';
    const server = createServer((socket) => {
      socket.on('error', () => {}); // reason: it is cut on purpose
      socket.on('data', (chunk) => {
        const head = `HTTP/1.1 400 Bad Request\r\ncontent-length: ${refusal.length + declaredBytes}\r\n\r\n`;
        if (seen.bytes === 0) {
          socket.write(head + refusal);
          socket[end]();
        }
        seen.bytes += chunk.length;
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    const address = server.address() as { port: number };
    return { endpoint: `http://127.0.0.1:${address.port}`, seen };
  }

  test.each([
    ['whole', 0, 'end'],
    ['cut off', 1000, 'destroySoon'],
  ] as const)('of a server that refuses before the body was sent hears why, %s', async (_, more, end) => {
    const { endpoint, seen } = await refusing(more, end);
    const size = 8 * 1024 * 1024;
    const sending = engineAt(endpoint).parts.send(
      uploadOf(),
      first(size),
      sourceOf(patternBytes(size)),
      never,
    );
    await expect(sending).rejects.toMatchObject({ kind: 'blocked', code: 'ExpiredToken' });
    expect(seen.bytes).toBeLessThan(10_000);
  });

  test('cuts a connection on which nothing moves', async () => {
    const { endpoint, requests } = await scriptedS3(() => 'hang');
    const { parts } = engineAt(endpoint, { idleTimeoutMs: 50 });
    const sending = parts.send(uploadOf(), first(100), sourceOf(bytes), never);
    await expect(sending).rejects.toMatchObject({ kind: 'transient', code: 'TimeoutError' });
    expect(requests).toHaveLength(3);
  });

  test('is cancelled while it waits for an answer, and while it waits for memory', async () => {
    const { endpoint } = await scriptedS3(() => 'hang');
    const { parts, pool } = engineAt(endpoint, { memoryBytesMax: 80, chunkBytes: 10 });
    const stop = new AbortController();
    const hanging = parts.send(uploadOf(), first(10), sourceOf(bytes), stop.signal);
    const lease = await pool.lease(70, never);
    const waiting = parts.send(uploadOf(), first(20), sourceOf(bytes), stop.signal);
    stop.abort();
    for (const one of await Promise.allSettled([hanging, waiting]))
      expect(one).toMatchObject({ status: 'rejected', reason: { kind: 'cancelled' } });
    lease.release();
    await pool.lease(80, never);
  });

  test('streams four large parts at once through little memory, every byte', async () => {
    const received: Buffer[] = [];
    const { endpoint } = await scriptedS3((request) => {
      received.push(request.body);
      return echo(request);
    });
    const memoryBytesMax = 64 * 1024;
    const { parts, pool } = engineAt(endpoint, { memoryBytesMax, chunkBytes: 4096 });
    const files = [1, 2, 3, 4].map((seed) => patternBytes(1_500_000, seed));
    let most = 0;
    const watch = () => {
      most = Math.max(most, pool.heldBytes);
    };
    const work = files.map((file, at) =>
      parts.send(
        uploadOf(),
        { number: at + 1, position: 0, sizeBytes: file.length },
        sourceOf(file, { onRead: watch }),
        never,
        watch,
      ),
    );
    const done = await Promise.all(work);
    expect(done.map(({ crc32 }) => crc32)).toEqual(files.map(crc32Of));
    expect(received.map(md5Of).toSorted()).toEqual(files.map(md5Of).toSorted());
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(memoryBytesMax);
  });

  test('takes leave for every byte before it is sent', async () => {
    const { endpoint, requests } = await scriptedS3(echo);
    let granted = 0;
    const bandwidth = {
      sliceBytes: 700,
      take: async (sizeBytes: number) => {
        expect(sizeBytes).toBeLessThanOrEqual(700);
        granted += sizeBytes;
      },
    };
    const { parts } = engineAt(endpoint, { bandwidth, memoryBytesMax: 20_000, chunkBytes: 1000 });
    for (const size of [100, 5_000, 50_000]) {
      granted = 0;
      const moved: number[] = [];
      const source = sourceOf(patternBytes(size));
      await parts.send(uploadOf(), first(size), source, never, (sentBytes) => {
        expect(sentBytes).toBeLessThanOrEqual(granted);
        moved.push(sentBytes);
      });
      expect([granted, moved.at(-1), requests.at(-1)?.body.length]).toEqual([size, size, size]);
    }
  });
});

describe('copy()', () => {
  const from = { key: 'training-logs/a b/ü', sizeBytes: 200, etag: 'e1', metadata: {} };
  const copied = (crc32?: string): ScriptedAnswer => ({
    status: 200,
    body: `<CopyPartResult><ETag>"c1"</ETag>${crc32 ? `<ChecksumCRC32>${crc32}</ChecksumCRC32>` : ''}</CopyPartResult>`,
  });
  const crc32 = crc32Of(bytes);

  test('names range, object and its ETag', async () => {
    const { endpoint, requests } = await scriptedS3(() => copied(crc32));
    const part = { number: 2, position: 100, sizeBytes: 50 };
    const result = await engineAt(endpoint).parts.copy(uploadOf(), part, from, crc32, never);
    expect(result).toEqual({ number: 2, sizeBytes: 50, etag: 'c1', crc32 });
    expect(requests[0]?.headers).toMatchObject({
      'x-amz-copy-source': 'bucket/training-logs/a%20b/%C3%BC',
      'x-amz-copy-source-range': 'bytes=100-149',
      'x-amz-copy-source-if-match': 'e1',
    });
  });

  test.each<[ScriptedAnswer]>([
    [errorAnswer(403, 'AccessDenied')],
    [errorAnswer(501, 'NotImplemented')],
    [errorAnswer(405, 'MethodNotAllowed')],
    [{ status: 501, body: 'no xml' }],
    [copied('AAAAAA==')],
  ])('makes no part where the server answers %j', async (answer) => {
    const { endpoint } = await scriptedS3(() => answer);
    expect(await engineAt(endpoint).parts.copy(uploadOf(), first(100), from, crc32, never)).toBeUndefined();
  });

  test.each<[ScriptedAnswer, unknown]>([
    [errorAnswer(412, 'PreconditionFailed'), Conflict],
    [errorAnswer(404, 'NoSuchKey'), Conflict],
    [errorAnswer(404, 'NoSuchUpload'), UploadGone],
  ])('throws on %j', async (answer, kind) => {
    const { endpoint } = await scriptedS3(() => answer);
    const copying = engineAt(endpoint).parts.copy(uploadOf(), first(100), from, crc32, never);
    await expect(copying).rejects.toBeInstanceOf(kind);
  });
});

test.each<[ScriptedAnswer, boolean]>([
  [{ status: 204 }, true],
  [errorAnswer(404, 'NoSuchUpload'), true],
  [errorAnswer(403, 'AccessDenied'), false],
])('abort() on %j says %s', async (answer, expected) => {
  const { endpoint } = await scriptedS3(() => answer);
  expect(await engineAt(endpoint).parts.abort(uploadOf(), never)).toBe(expected);
});
