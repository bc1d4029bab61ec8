import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ListObjectsV2Command, PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { makePlace, runAgent } from '../support/agent.ts';
import { describeS3, makeBucket } from '../support/s3.ts';

interface Policy {
  readonly Statement: readonly object[];
}

describeS3('under the policy that trainlogd iam policy prints', () => {
  test('a session is shipped, with tags and under a prefix of its own, and nothing elsewhere', async () => {
    const { endpoint, region, uploader, ownerCredentials, owner } = await makeBucket();
    const bucket = `test-${randomBytes(8).toString('hex')}`;
    const place = await makePlace();
    const env = {
      AWS_ACCESS_KEY_ID: uploader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: uploader.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: endpoint,
      TRAINLOGD_DESTINATION_URL: `s3://${bucket}`,
      TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'team-b/logs-{year}/{month}/{session-id}.log',
      TRAINLOGD_DESTINATION_TAGS: 'team=b',
    };
    // As apply leaves a bucket, which is what uploads have to do with.
    const admin = {
      AWS_ACCESS_KEY_ID: ownerCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: ownerCredentials.secretAccessKey,
    };
    expect(await runAgent(place, ['bucket', 'apply'], { env: { ...env, ...admin } })).toMatchObject({
      exit: 0,
    });
    const printed = await runAgent(place, ['iam', 'policy'], { env });
    expect(printed.exit).toBe(0);
    const policy = JSON.parse(printed.stdout) as Policy;
    // A bucket's policy says whom it speaks of; that of a user does not.
    const whom = { Principal: { AWS: ['arn:aws:iam:::user/s3uploader'] } };
    const Statement = policy.Statement.map((one) => ({ ...one, ...whom }));
    await owner.send(
      new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ ...policy, Statement }) }),
    );

    await mkdir(join(place.folder, 'run-1'));
    await writeFile(join(place.folder, 'run-1', 'session.json'), '{"startedAt":"2024-03-05T00:00:00Z"}');
    await writeFile(join(place.folder, 'run-1', 'result.json'), '{"status":"completed"}');
    await writeFile(join(place.folder, 'run-1', 'stdout.log'), 'epoch 1\n');
    const drained = await runAgent(place, ['drain'], { env });
    expect({ exit: drained.exit, unsent: drained.stderr.match(/^unsent: .*/gm) }).toEqual({
      exit: 0,
      unsent: null,
    });
    const { Contents = [] } = await owner.send(new ListObjectsV2Command({ Bucket: bucket }));
    const id = 'run-1-20240305T000000Z-[0-9a-f]{6}';
    expect(Contents.map(({ Key }) => Key).toSorted()).toEqual([
      expect.stringMatching(new RegExp(`^team-b/logs-2024/03/${id}\\.log$`)),
      'team-b/logs-companions/.trainlogd-probe',
      expect.stringMatching(new RegExp(`^team-b/logs-companions/2024/03/${id}/stdout\\.log$`)),
    ]);
    const elsewhere = {
      ...env,
      TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'team-c/{year}/{month}/{session-id}.log',
    };
    const other = { ...place, env: { ...place.env, TRAINLOGD_STATE_DIRECTORY: `${place.state}-2` } };
    const refused = await runAgent(other, ['drain', '--timeout', '2s'], { env: elsewhere });
    expect(refused.exit).toBe(75);
  });
});

describe('trainlogd iam policy', () => {
  const named = { TRAINLOGD_DESTINATION_URL: 's3://your-company-training-logs', AWS_REGION: 'us-east-1' };

  test('is JSON alone on stdout, the same with --json, and asks nobody', async () => {
    const place = await makePlace();
    const [plain, json] = await Promise.all([
      runAgent(place, ['iam', 'policy'], { env: named }),
      runAgent(place, ['iam', 'policy', '--json'], { env: named }),
    ]);
    expect(plain).toMatchObject({ exit: 0, stderr: '' });
    expect(json).toEqual(plain);
    expect(JSON.parse(plain.stdout)).toMatchObject({ Version: '2012-10-17' });
  });

  test('of a directory exits with 78', async () => {
    expect(await runAgent(await makePlace(), ['iam', 'policy'])).toMatchObject({ exit: 78, stdout: '' });
  });
});
