import { describe, expect, test } from 'vitest';
import { md5Of } from '../contracts/object-store.ts';
import { crc32Of } from '../fakes/memory-digest.ts';
import { patternBytes, sourceOf } from '../support/byte-source.ts';
import { engineAt } from '../support/s3-engine.ts';
import {
  errorAnswer,
  isList,
  listAnswer,
  type ScriptedAnswer,
  type ScriptedRequest,
  scriptedS3,
} from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const probe = 'training-logs/companions/.trainlogd-probe';

interface Habits {
  readonly keepsCrc32: boolean;
  readonly checksCrc32: boolean;
  readonly createsOnce: boolean;
  /** `never`: a right If-Match is refused as well. */
  readonly replaces: 'exactly' | 'always' | 'never';
  /** Refuses headers of conditions that it does not know. */
  readonly refusesConditions?: boolean;
}

/** One object, by the habits of some server. */
function server(habits: Habits) {
  let object: { body: Buffer; crc32: string } | undefined;
  return (request: ScriptedRequest): ScriptedAnswer => {
    const { method, headers, body } = request;
    const etag = object && `"${md5Of(object.body)}"`;
    if (isList(request)) return object ? listAnswer(probe) : listAnswer();
    if (method === 'HEAD') {
      const kept = habits.keepsCrc32 ? { 'x-amz-checksum-crc32': object?.crc32 ?? '' } : {};
      return {
        status: 200,
        headers: { etag: etag ?? '', 'content-length': String(object?.body.length), ...kept },
      };
    }
    const { 'if-none-match': absent, 'if-match': wanted } = headers;
    if (habits.refusesConditions && (absent ?? wanted) !== undefined)
      return errorAnswer(501, 'NotImplemented');
    const crc32 = String(headers['x-amz-checksum-crc32']);
    if (habits.checksCrc32 && crc32 !== crc32Of(body)) return errorAnswer(400, 'BadDigest');
    if (absent === '*' && object && habits.createsOnce) return errorAnswer(412, 'PreconditionFailed');
    const isRight = wanted === etag?.replaceAll('"', '');
    if (wanted !== undefined && habits.replaces !== 'always' && !(isRight && habits.replaces === 'exactly'))
      return errorAnswer(412, 'PreconditionFailed');
    object = { body, crc32 };
    return { status: 200, headers: { etag: `"${md5Of(body)}"` } };
  };
}

const good: Habits = { keepsCrc32: true, checksCrc32: true, createsOnce: true, replaces: 'exactly' };

describe('EndpointProbe', () => {
  test.each<[string, Partial<Habits>, object]>([
    ['does all', {}, { checksum: 'crc32', createsOnce: true, replacesExactly: true }],
    ['keeps checksums unchecked', { checksCrc32: false }, { checksum: 'md5' }],
    ['keeps no checksums', { keepsCrc32: false, checksCrc32: false }, { checksum: 'md5' }],
    ['ignores If-None-Match', { createsOnce: false }, { createsOnce: false, replacesExactly: true }],
    ['ignores If-Match', { replaces: 'always' }, { replacesExactly: false, createsOnce: true }],
    ['refuses every If-Match', { replaces: 'never' }, { replacesExactly: false }],
    [
      'refuses conditions',
      { refusesConditions: true },
      { checksum: 'crc32', createsOnce: false, replacesExactly: false },
    ],
  ])('knows a server that %s', async (_, habits, expected) => {
    const { endpoint } = await scriptedS3(server({ ...good, ...habits }));
    const memory = new Map<string, string>();
    expect(await engineAt(endpoint, { isAws: false, memory }).probe.facts(never)).toMatchObject(expected);
    expect([...memory.keys()]).toEqual([`endpoint ${endpoint} bucket bucket`]);
  });

  test('writes at one key only, with a text that people can read', async () => {
    const { endpoint, requests } = await scriptedS3(server(good));
    await engineAt(endpoint, { isAws: false }).probe.facts(never);
    const writes = requests.filter(({ method }) => method === 'PUT');
    expect(new Set(writes.map(({ url }) => url))).toEqual(new Set([`/bucket/${probe}`]));
    expect(new Set(writes.map(({ body }) => String(body)))).toEqual(
      new Set([expect.stringMatching(/^trainlogd wrote this object to learn .+ may be deleted\.\n$/)]),
    );
  });

  test('asks once for all that wait, and in a later life only whether first writes still hold', async () => {
    const { endpoint, requests } = await scriptedS3(server(good));
    const memory = new Map<string, string>();
    const { probe: first } = engineAt(endpoint, { isAws: false, memory });
    const [one, other] = await Promise.all([first.facts(never), first.facts(never)]);
    expect(one).toEqual(other);
    const asked = requests.length;
    expect(await engineAt(endpoint, { isAws: false, memory }).probe.facts(never)).toEqual(one);
    expect(requests.slice(asked).map(({ headers }) => headers['if-none-match'])).toEqual(['*']);
  });

  test('finds out that a server stopped to honour If-None-Match', async () => {
    const habits = { ...good };
    const { endpoint } = await scriptedS3((request) => serve(request));
    let serve = server(habits);
    const memory = new Map<string, string>();
    await engineAt(endpoint, { isAws: false, memory }).probe.facts(never);
    serve = server({ ...good, createsOnce: false });
    const later = engineAt(endpoint, { isAws: false, memory }).probe;
    expect(await later.facts(never)).toMatchObject({ createsOnce: false });
    expect(JSON.parse([...memory.values()][0] ?? '')).toMatchObject({ createsOnce: false });
  });

  test('takes nothing that was remembered for facts but facts', async () => {
    const { endpoint } = await scriptedS3(server(good));
    const memory = new Map([[`endpoint ${endpoint} bucket bucket`, '{"checksum":"none"}']]);
    expect(await engineAt(endpoint, { isAws: false, memory }).probe.facts(never)).toMatchObject({
      checksum: 'crc32',
    });
  });

  test('lets the configuration decide on the checksum', async () => {
    const { endpoint } = await scriptedS3(server(good));
    const { probe: asked } = engineAt(endpoint, { isAws: false, checksums: 'md5' });
    expect(await asked.facts(never)).toMatchObject({ checksum: 'md5', createsOnce: true });
  });

  test('of AWS asks nothing', async () => {
    const { endpoint, requests } = await scriptedS3(server(good));
    expect(await engineAt(endpoint).probe.facts(never)).toMatchObject({
      checksum: 'crc32',
      createsOnce: true,
    });
    expect(requests).toEqual([]);
  });

  test.each([
    [errorAnswer(403, 'AccessDenied'), { kind: 'blocked', code: 'AccessDenied' }],
    [errorAnswer(400, 'ExpiredToken'), { kind: 'blocked', code: 'ExpiredToken' }],
    [errorAnswer(503, 'SlowDown'), { kind: 'transient', code: 'SlowDown', throttled: true }],
    [
      { status: 500, body: '<<<& no xml' },
      { kind: 'transient', code: 'HTTP 500' },
    ],
    ['reset', { kind: 'transient', code: 'ECONNRESET' }],
  ] as const)(
    'fails with the write that needed to know, on %j, and is asked again',
    async (answer, failure) => {
      let isBroken = true;
      const serve = server(good);
      const { endpoint } = await scriptedS3((request) => (isBroken ? answer : serve(request)));
      const { writer } = engineAt(endpoint, { isAws: false });
      const condition = { absent: true } as const;
      const request = { key: 'k', source: sourceOf('x'), contentType: 't', metadata: {}, condition };
      const error = await writer.put(request, never).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'Failure', ...failure });
      expect(String(error)).toContain('learning what s3://bucket checks');
      isBroken = false;
      await expect(writer.put({ ...request, key: probe }, never)).rejects.toThrow('another object is there');
    },
  );

  test('is not cancelled for others by the one who asked first', async () => {
    const stop = new AbortController();
    const serve = server(good);
    let asked = 0;
    const { endpoint } = await scriptedS3((request) => {
      asked += 1;
      if (asked === 1) stop.abort();
      return asked === 1 ? 'hang' : serve(request);
    });
    const { probe: shared } = engineAt(endpoint, { isAws: false });
    const [first, second] = await Promise.allSettled([shared.facts(stop.signal), shared.facts(never)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { kind: 'cancelled' } });
    expect(second).toMatchObject({ status: 'fulfilled' });
  });
});

test('a server that checks and keeps CRC-32 is trusted with a small object after one request', async () => {
  const serve = server(good);
  const { endpoint, requests } = await scriptedS3((request) => {
    const answer = serve(request);
    const echo = { 'x-amz-checksum-crc32': String(request.headers['x-amz-checksum-crc32']) };
    if (request.method !== 'PUT' || typeof answer === 'string') return answer;
    return { ...answer, headers: { ...answer.headers, ...echo } };
  });
  const { writer, probe: asked } = engineAt(endpoint, { isAws: false });
  await asked.facts(never);
  const before = requests.length;
  const condition = { etag: md5Of(requests[0]?.body ?? '') };
  const source = sourceOf(patternBytes(1000));
  await writer.put({ key: probe, source, contentType: 't', metadata: {}, condition }, never);
  expect(requests.slice(before).map(({ method }) => method)).toEqual(['PUT']);
});
