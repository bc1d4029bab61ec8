import { expect, test } from 'vitest';
import { CallerIdentity } from '../../src/adapters/caller-identity.ts';
import { type ScriptedAnswer, scriptedS3 } from '../support/scripted-s3.ts';

const arn = 'arn:aws:iam::123456789012:user/training-logs-app';
const told: ScriptedAnswer = {
  status: 200,
  body: `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
};
const never = new AbortController().signal;

/** A server with an answer for each request, the last one for all that follow. */
async function asking(...answers: ScriptedAnswer[]) {
  const { endpoint, requests } = await scriptedS3(
    () => (answers.length > 1 ? answers.shift() : answers[0]) ?? 'hang',
  );
  const given = { key: 'AKIA1', nowMs: 0 };
  const identity = new CallerIdentity({
    region: 'us-east-1',
    endpoint,
    access: {
      credentials: {
        current: async () => ({ accessKeyId: given.key, secretAccessKey: 'secret' }),
        refused: () => undefined,
        describe: () => ({ source: 'environment' }),
      },
      clock: {
        offsetMs: () => 3_600_000,
        signingDate: () => new Date(),
        observe: () => undefined,
        refused: () => undefined,
      },
    },
    timeoutMs: 200,
    nowMs: () => given.nowMs,
  });
  return { identity, given, requests };
}

test('whose credentials they are is asked once for each access key, signed by the time of the server', async () => {
  const { identity, given, requests } = await asking(told);
  expect(await identity.name(never)).toBe(arn);
  given.nowMs = 24 * 3_600_000;
  expect(await identity.name(never)).toBe(arn);
  expect(requests).toHaveLength(1);
  expect(requests[0]?.body.toString()).toBe('Action=GetCallerIdentity&Version=2011-06-15');
  const signedAt = String(requests[0]?.headers['x-amz-date']).replace(
    /^(....)(..)(..T..)(..)/,
    '$1-$2-$3:$4:',
  );
  expect(Date.parse(signedAt) - Date.now()).toBeGreaterThan(3_500_000);
  given.key = 'AKIA2';
  await identity.name(never);
  expect(requests).toHaveLength(2);
});

test.each<[string, ScriptedAnswer]>([
  ['knows no such question', { status: 405, body: '<Error><Code>MethodNotAllowed</Code></Error>' }],
  ['answers in another language', { status: 200, body: '<!doctype html>' }],
  ['never answers', 'hang'],
])('a server that %s has no name for us, and is asked again after an hour', async (_, answer) => {
  const { identity, given, requests } = await asking(answer, told);
  expect(await identity.name(never)).toBeUndefined();
  given.nowMs = 3_599_999;
  expect(await identity.name(never)).toBeUndefined();
  expect(requests).toHaveLength(1);
  given.nowMs = 3_600_000;
  expect(await identity.name(never)).toBe(arn);
});
