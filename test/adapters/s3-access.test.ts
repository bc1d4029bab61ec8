import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AwsIdentity } from '../../src/adapters/aws-credential-chain.ts';
import { type AwsCredentials, createAwsCredentials } from '../../src/adapters/aws-credentials.ts';
import { createS3Store } from '../../src/adapters/s3-store.ts';
import { createSigningClock, type SigningClock } from '../../src/adapters/signing-clock.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { sourceOf } from '../support/byte-source.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { errorAnswer, listAnswer, scriptedS3 } from '../support/scripted-s3.ts';

const never = new AbortController().signal;
const hour = 3_600_000;

function open(endpoint: string, credentials: AwsCredentials, clock: SigningClock, bucket = 'bucket') {
  return createS3Store({
    destination: { bucket, endpoint, region: 'us-east-1', pathStyle: true, tags: {} },
    access: { credentials, clock },
    partSizeBytes: 5 * 1024 * 1024,
    partConcurrency: 2,
  });
}

function hostClock() {
  const told: number[] = [];
  const { nowMs: now, monotonicMs: monotonic } = systemClock;
  const clock = createSigningClock({ now, monotonic, onSkew: (offsetMs) => told.push(offsetMs) });
  return { clock, told };
}

/** Credentials from a variable of the test, and how often it was looked at. */
function held(pair: { now: AwsIdentity }, signingClock: SigningClock) {
  const asked: string[] = [];
  const source = {
    files: [],
    resolve: async () => {
      asked.push(pair.now.accessKeyId);
      return { identity: pair.now, source: 'the test' };
    },
  };
  const changes: string[] = [];
  const credentials = createAwsCredentials({
    sources: [source],
    clock: systemClock,
    signingClock,
    onChanged: (change) => changes.push(change.source),
    onProblem: () => undefined,
  });
  return { credentials, asked, changes };
}

const someone = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

describeS3('a host with a wrong clock', () => {
  test.each([-7 * hour, 7 * hour, -400 * 24 * hour])(
    'of %i ms can use the real server all the same',
    async (offMs) => {
      const { endpoint, bucket, uploader } = await makeBucket();
      onTestFinished(() => void vi.useRealTimers());
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + offMs });
      const { clock, told } = hostClock();
      const store = open(endpoint, held({ now: uploader }, clock).credentials, clock, bucket);
      expect(await store.find('training-logs/a.log', never)).toBeUndefined();
      expect(told).toHaveLength(1);
      expect(Math.abs((told[0] ?? 0) + offMs)).toBeLessThan(5000);
      const body = { source: sourceOf('body'), contentType: 'text/plain', metadata: {} };
      await store.put({ ...body, key: 'training-logs/b.log', condition: { absent: true } }, never);
      expect(await store.find('training-logs/b.log', never)).toMatchObject({ sizeBytes: 4 });
      expect(told).toHaveLength(1);
      await store.close();
    },
  );
});

describeS3('the first write of a host with a wrong clock', () => {
  test('is signed again with the time of the server', async () => {
    const { endpoint, bucket, uploader } = await makeBucket();
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 5 * hour });
    const { clock, told } = hostClock();
    const store = open(endpoint, held({ now: uploader }, clock).credentials, clock, bucket);
    const body = { source: sourceOf('body'), contentType: 'text/plain', metadata: {} };
    await store.put({ ...body, key: 'training-logs/a.log', condition: { absent: true } }, never);
    expect(told).toHaveLength(1);
    await store.close();
  });
});

describe('an answer', () => {
  test('of a cache, with its old Date, does not count', async () => {
    const date = new Date(systemClock.nowMs() - 5 * hour).toUTCString();
    const old = { ...listAnswerWith({ date, age: '18000' }) };
    const { endpoint } = await scriptedS3(() => old);
    const { clock, told } = hostClock();
    const store = open(endpoint, held({ now: someone }, clock).credentials, clock);
    for (let n = 0; n < 9; n++) await store.find('a', never);
    expect(told).toEqual([]);
    await store.close();
  });

  test.each(['ExpiredToken', 'InvalidToken', 'InvalidAccessKeyId', 'SignatureDoesNotMatch'])(
    'of %s makes the credentials be looked up again, once for the same pair, and the next request uses the new ones',
    async (code) => {
      const { endpoint, requests } = await scriptedS3(({ headers }) =>
        headers.authorization?.includes('NEWKEY') ? listAnswer() : errorAnswer(403, code),
      );
      const { clock } = hostClock();
      const pair = { now: someone as AwsIdentity };
      const { credentials, asked, changes } = held(pair, clock);
      const store = open(endpoint, credentials, clock);
      for (let n = 0; n < 4; n++)
        await expect(store.find('a', never)).rejects.toMatchObject({ kind: 'blocked', code });
      expect(asked).toEqual(['AKIDEXAMPLE', 'AKIDEXAMPLE']);
      expect(changes).toEqual([]);
      expect(requests).toHaveLength(4);
      await store.close();
    },
  );

  test('that refuses an old pair takes the new one, and a late refusal of the old one changes nothing', async () => {
    const { endpoint } = await scriptedS3(({ headers }) =>
      headers.authorization?.includes('NEWKEY') ? listAnswer() : errorAnswer(403, 'ExpiredToken'),
    );
    const { clock } = hostClock();
    const pair = { now: someone as AwsIdentity };
    const { credentials, asked, changes } = held(pair, clock);
    const store = open(endpoint, credentials, clock);
    await expect(store.find('a', never)).rejects.toMatchObject({ code: 'ExpiredToken' });
    pair.now = { ...someone, accessKeyId: 'NEWKEY' };
    expect(await store.find('a', never)).toBeUndefined();
    expect(changes).toEqual(['the test']);
    credentials.refused('AKIDEXAMPLE');
    expect(await store.find('a', never)).toBeUndefined();
    expect(asked).toEqual(['AKIDEXAMPLE', 'NEWKEY']);
    await store.close();
  });
});

function listAnswerWith(headers: Record<string, string>) {
  const answer = listAnswer();
  return typeof answer === 'string' ? { status: 200 } : { ...answer, headers };
}
