import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { AwsIdentity, CredentialSource } from '../../src/adapters/aws-credential-chain.ts';
import { createAwsCredentials } from '../../src/adapters/aws-credentials.ts';
import { createSigningClock } from '../../src/adapters/signing-clock.ts';
import { Failure } from '../../src/domain/failure.ts';
import { FakeClock } from '../fakes/fake-clock.ts';

const minute = 60_000;
const broken = (code: string) =>
  new Failure({
    kind: 'blocked',
    code,
    attempted: `getting credentials from the role: ${code}`,
    remedy: 'mend it',
  });

/** A role whose credentials live for `livesMs`, numbered as they are given out. */
function role(livesMs?: number) {
  const clock = new FakeClock();
  const state = { given: 0, asked: 0, fails: undefined as Failure | undefined };
  const source: CredentialSource = {
    files: [],
    resolve: async () => {
      state.asked += 1;
      if (state.fails) throw state.fails;
      state.given += 1;
      const expiration = livesMs === undefined ? undefined : new Date(clock.nowMs() + livesMs);
      return {
        identity: { accessKeyId: `KEY${state.given}`, secretAccessKey: 's3cr3t', expiration },
        source: 'the role',
      };
    },
  };
  return { clock, state, ...over([source], clock) };
}

function over(sources: readonly CredentialSource[], clock: FakeClock) {
  const told: string[] = [];
  const signingClock = createSigningClock({
    now: () => clock.nowMs(),
    monotonic: () => clock.monotonicMs(),
    onSkew: () => undefined,
  });
  const credentials = createAwsCredentials({
    sources,
    clock,
    signingClock,
    onChanged: ({ source, expiresAt }) => told.push(`changed: ${source}, ${expiresAt ?? 'no end'}`),
    onProblem: ({ source, cause }) => told.push(`problem: ${source}, ${cause}`),
  });
  const key = async () => (await credentials.current()).accessKeyId;
  return { credentials, told, key, signingClock };
}

describe('credentials that expire', () => {
  test('are kept until shortly before, renewed in the background, and waited for in the last minute', async () => {
    const { key, clock, state, told } = role(60 * minute);
    expect([await key(), await key()]).toEqual(['KEY1', 'KEY1']);
    await clock.advance(54 * minute);
    expect(await key()).toBe('KEY1');
    expect(state.asked).toBe(1);
    await clock.advance(2 * minute);
    expect(await key()).toBe('KEY1');
    await clock.advance(0);
    expect(await key()).toBe('KEY2');
    expect(told).toEqual(['changed: the role, 2026-01-02T05:00:05.000Z']);
    await clock.advance(59.5 * minute);
    expect(await key()).toBe('KEY3');
    expect(state.asked).toBe(3);
  });

  test('still serve while their renewal fails, which is told once and asked at a capped pace, until they end', async () => {
    const { key, clock, state, told, credentials } = role(60 * minute);
    await key();
    state.fails = broken('Unavailable');
    await clock.advance(56 * minute);
    for (let n = 0; n < 10; n++) {
      expect(await key()).toBe('KEY1');
      await clock.advance(10_000);
    }
    expect(state.asked).toBeGreaterThan(2);
    expect(state.asked).toBeLessThan(6);
    expect(told).toEqual(['problem: the role, getting credentials from the role: Unavailable']);
    expect(credentials.describe()).toEqual({
      source: 'the role',
      expiresAt: '2026-01-02T04:04:05.000Z',
      problem: 'getting credentials from the role: Unavailable: mend it',
    });
    await clock.advance(3 * minute);
    await expect(key()).rejects.toMatchObject({ kind: 'blocked', code: 'Unavailable' });
    state.fails = undefined;
    expect(await key()).toBe('KEY2');
    expect(credentials.describe()).not.toHaveProperty('problem');
  });

  test('expire by the clock of the server, not by that of the host', async () => {
    const { key, clock, signingClock } = role(60 * minute);
    await key();
    signingClock.refused(new Date(clock.nowMs() + 61 * minute).toUTCString());
    expect(await key()).toBe('KEY2');
  });
});

describe('credentials that were refused', () => {
  test('are looked up again at once, and then at a capped pace while others are refused as well', async () => {
    const { key, clock, state, credentials } = role();
    await key();
    credentials.refused('KEY1');
    expect(await key()).toBe('KEY2');
    for (let n = 0; n < 5; n++) {
      credentials.refused('KEY1');
      expect(await key()).toBe('KEY2');
    }
    await clock.advance(minute);
    credentials.refused('KEY2');
    expect(await key()).toBe('KEY3');
    expect(state.asked).toBe(3);
  });

  test('that come again are not looked up for each request', async () => {
    const clock = new FakeClock();
    let asked = 0;
    const identity = { accessKeyId: 'SAME', secretAccessKey: 'x' };
    const resolve = async () => {
      asked += 1;
      return { identity, source: 'environment' };
    };
    const { key, credentials } = over([{ files: [], resolve }], clock);
    for (let n = 0; n < 20; n++) {
      await key();
      credentials.refused('SAME');
    }
    expect(asked).toBe(2);
    await clock.advance(31_000);
    credentials.refused('SAME');
    await key();
    expect(asked).toBe(3);
  });
});

describe('a source', () => {
  test('is asked once for all who wait', async () => {
    const { key, state } = role();
    expect(await Promise.all([key(), key(), key()])).toEqual(['KEY1', 'KEY1', 'KEY1']);
    expect(state.asked).toBe(1);
  });

  test('that has nothing leaves it to the next; one that fails does not', async () => {
    const clock = new FakeClock();
    const none: CredentialSource = { files: [], resolve: async () => ({ absent: 'nothing there' }) };
    const fails: CredentialSource = { files: [], resolve: () => Promise.reject(broken('SSOExpired')) };
    const works: CredentialSource = {
      files: [],
      resolve: async () => ({ identity: { accessKeyId: 'OTHER', secretAccessKey: 'x' }, source: 'another' }),
    };
    expect(await over([none, works], clock).key()).toBe('OTHER');
    await expect(over([none, fails, works], clock).key()).rejects.toMatchObject({ code: 'SSOExpired' });
    const nowhere = over([none, none], clock);
    await expect(nowhere.key()).rejects.toMatchObject({
      kind: 'blocked',
      code: 'NoCredentials',
      remedy: expect.stringContaining('AWS_ACCESS_KEY_ID'),
      message: expect.stringContaining('nothing there; nothing there'),
    });
    expect(nowhere.credentials.describe().source).toBe('none yet');
  });

  test('that never answers is given up, and asked again by the next request', async () => {
    const clock = new FakeClock();
    let isStuck = true;
    const identity: AwsIdentity = { accessKeyId: 'LATE', secretAccessKey: 'x' };
    const resolve = () =>
      isStuck ? new Promise<never>(() => undefined) : Promise.resolve({ identity, source: 'a process' });
    const { key } = over([{ files: [], resolve }], clock);
    const first = expect(key()).rejects.toMatchObject({ kind: 'blocked', code: 'CredentialsTimeout' });
    await clock.advance(61_000);
    await first;
    isStuck = false;
    expect(await key()).toBe('LATE');
  });

  test('shows no secret in what is told and described', async () => {
    const { key, credentials, told, clock } = role(10 * minute);
    await key();
    await clock.advance(9.5 * minute);
    await key();
    expect(told).toHaveLength(1);
    expect(inspect([told, credentials.describe()])).not.toMatch(/s3cr3t|KEY\d/);
  });
});
