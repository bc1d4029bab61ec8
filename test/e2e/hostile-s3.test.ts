import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { type AgentOptions, makePlace, runAgent } from '../support/agent.ts';
import { probeObject } from '../support/bucket-check.ts';
import { write } from '../support/hostile.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';

interface Row {
  readonly name: string;
  readonly env: (bucket: TestBucket) => AgentOptions['env'] | Promise<AgentOptions['env']>;
  readonly code: string;
  readonly remedy: RegExp;
  /** False where what was decided under the wrong configuration stays with the session. */
  readonly heals?: boolean;
}

const wrongSecret = 'd3Jvbmctc2VjcmV0LWFjY2Vzcy1rZXktMDEyMzQ1Njc';

const rows: readonly Row[] = [
  {
    name: 'a wrong secret',
    env: () => ({ AWS_SECRET_ACCESS_KEY: wrongSecret }),
    code: 'SignatureDoesNotMatch',
    remedy: /check AWS_SECRET_ACCESS_KEY: it does not belong to this access key/,
  },
  {
    name: 'an unknown key',
    env: () => ({ AWS_ACCESS_KEY_ID: 'AKIAUNKNOWNKEY000000' }),
    code: 'InvalidAccessKeyId',
    remedy: /check AWS_ACCESS_KEY_ID: the server knows no such key/,
  },
  {
    name: 'a bucket that is not there',
    env: ({ bucket }) => ({ S3_BUCKET_NAME: `${bucket}-not` }),
    code: 'NoSuchBucket',
    remedy: /check the bucket's name/,
  },
  {
    name: 'a prefix that the policy does not allow',
    env: () => ({ TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'elsewhere/{year}/{month}/{session-id}.log' }),
    code: 'AccessDenied',
    remedy: /check the policy: s3:PutObject and s3:GetObject on the key's prefix/,
    heals: false,
  },
  {
    name: 'an endpoint that refuses the connection',
    env: async () => ({ AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}` }),
    code: 'ECONNREFUSED',
    remedy: /check that the endpoint is right and up/,
  },
];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

describeS3(
  'a drain names cause and remedy, no secret, and what is left, and loses nothing, when there is',
  () => {
    test.concurrent.for(rows)('$name', async (row, context) => {
      const bucket = await makeBucket();
      const place = await makePlace(context);
      context.onTestFinished(() => bucket.owner.destroy());
      // Without an id of its own in session.json, no second look is needed whether the first write of its log won.
      for (const path of ['train.log', 'metrics/loss.csv']) await write(place, `run/${path}`, path);
      const { accessKeyId, secretAccessKey } = bucket.uploader;
      const right = {
        TRAINLOGD_DESTINATION_URL: undefined,
        S3_BUCKET_NAME: bucket.bucket,
        AWS_ENDPOINT_URL_S3: bucket.endpoint,
        AWS_REGION: bucket.region,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
      };
      const wrong = { ...right, ...(await row.env(bucket)) };
      // All of it is waited for, and on a busy machine the first look alone may take a while.
      const ended = await runAgent(place, ['drain', '--timeout', '5s'], { env: wrong });
      expect(ended.exit, ended.stderr).toBe(75);
      const cause = `s3://\\S+ is not usable, ${row.code}: .*: ${row.remedy.source}`;
      expect(ended.stderr).toMatch(new RegExp(`"message":"${cause}`));
      expect(ended.stderr).toMatch(new RegExp(`^why: ${cause}`, 'm'));
      const unsent = ended.stderr.split('\n').filter((line) => line.startsWith('unsent: '));
      for (const name of ['train\\.log', 'metrics/loss\\.csv', '\\S+\\.log'])
        expect(unsent).toContainEqual(expect.stringMatching(new RegExp(`^unsent: run-\\S+: ${name}: `)));
      for (const secret of [secretAccessKey, wrongSecret]) expect(ended.stderr).not.toContain(secret);
      expect(await bucket.versions()).toEqual([]);
      if (row.heals === false) return;
      const healed = await runAgent(place, ['drain', '--timeout', '20s'], { env: right });
      expect(healed.exit, healed.stderr).toBe(0);
      expect(
        (await bucket.versions()).filter(({ isLatest, key }) => isLatest && key !== probeObject),
      ).toMatchObject([
        { key: expect.stringMatching(/^training-logs\/\d{4}\/\d{2}\/run-\S+\.log$/) },
        { key: expect.stringMatching(/^training-logs\/companions\/\S+\/run-\S+\/metrics\/loss\.csv$/) },
        { key: expect.stringMatching(/^training-logs\/companions\/\S+\/run-\S+\/train\.log$/) },
      ]);
    });
  },
);
