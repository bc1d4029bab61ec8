import { CompleteMultipartUploadCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import type { AwsCredentials } from '../../src/adapters/aws-credentials.ts';
import { createS3Client } from '../../src/adapters/s3-client.ts';
import { createSigningClock } from '../../src/adapters/signing-clock.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { errorAnswer, type ScriptedAnswer, scriptedS3 } from '../support/scripted-s3.ts';

const fixed = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
const hour = 3_600_000;
const { nowMs: now, monotonicMs: monotonic } = systemClock;

const credentials: AwsCredentials = {
  current: async () => fixed,
  refused: () => {},
  describe: () => ({ source: 'the test' }),
};

/** A client whose caller tries again, and a server that gives `answers` in turn, the last one for ever. */
async function clientOf(answers: readonly ScriptedAnswer[], isRetried = true) {
  const left = [...answers];
  const server = await scriptedS3(() => (left.length > 1 ? left.shift() : left[0]) ?? 'reset');
  const clock = createSigningClock({ now, monotonic, onSkew: () => {} });
  const destination = { bucket: 'b', region: 'r', endpoint: server.endpoint, pathStyle: true, tags: {} };
  const client = createS3Client(destination, 5_000, { credentials, clock }, isRetried);
  onTestFinished(() => client.destroy());
  return { client, requests: server.requests };
}

const head = new HeadObjectCommand({ Bucket: 'b', Key: 'k' });
const complete = new CompleteMultipartUploadCommand({ Bucket: 'b', Key: 'k', UploadId: 'u' });
const taken: ScriptedAnswer = { status: 200, body: '<CompleteMultipartUploadResult/>' };

test('a failure is told after one request: who asked tries again', async () => {
  for (const answer of [errorAnswer(500, 'InternalError'), errorAnswer(503, 'SlowDown')]) {
    const { client, requests } = await clientOf([answer]);
    await expect(client.send(complete)).rejects.toMatchObject({ $metadata: { attempts: 1 } });
    expect(requests).toHaveLength(1);
  }
});

test('where nobody tries again, the SDK does', async () => {
  const { client, requests } = await clientOf([errorAnswer(500, 'InternalError'), taken], false);
  await client.send(complete);
  expect(requests).toHaveLength(2);
});

test('a read whose connection broke is asked once more, a write is not', async () => {
  const reading = await clientOf(['reset', { status: 200 }]);
  await reading.client.send(head);
  expect(reading.requests).toHaveLength(2);
  const broken = await clientOf(['reset']);
  await expect(broken.client.send(head)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(broken.requests).toHaveLength(2);
  const writing = await clientOf(['reset', taken]);
  await expect(writing.client.send(complete)).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(writing.requests).toHaveLength(1);
});

test('what was refused for its time is signed anew with the corrected one, once', async () => {
  const date = new Date(now() + 5 * hour).toUTCString();
  const refusal = errorAnswer(403, 'RequestTimeTooSkewed', '', { date });
  const { client, requests } = await clientOf([refusal, taken]);
  await client.send(complete);
  const [first = 0, second = 0] = requests.map(({ headers }) => hoursOf(String(headers['x-amz-date'])));
  expect(second - first).toBeCloseTo(5, 1);
  const stubborn = await clientOf([refusal]);
  await expect(stubborn.client.send(complete)).rejects.toMatchObject({ name: 'RequestTimeTooSkewed' });
  expect(stubborn.requests).toHaveLength(2);
});

/** Of `20260102T030405Z`. */
function hoursOf(signed: string): number {
  const [, day, hours, minutes, seconds] = /^(\d{8})T(\d\d)(\d\d)(\d\d)Z$/.exec(signed) ?? [];
  const midnight = Date.parse(String(day).replace(/(....)(..)(..)/, '$1-$2-$3'));
  return midnight / hour + Number(hours) + Number(minutes) / 60 + Number(seconds) / 3600;
}
