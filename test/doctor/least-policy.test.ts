import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { doctor } from '../../src/commands/doctor.ts';
import { makePlace } from '../support/agent.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { edgeOf } from './edge.ts';

describeS3("under the guide's policy", () => {
  test.skipIf(serverLog === undefined)('no request is denied, and all that can be tried is', async () => {
    const bucket = await makeBucket();
    const Key = 'training-logs/2024/03/one.log';
    await bucket.owner.send(new PutObjectCommand({ Bucket: bucket.bucket, Key, Body: '{}\n' }));
    const place = await makePlace();
    const env = {
      ...place.env,
      TRAINLOGD_DESTINATION_URL: `s3://${bucket.bucket}`,
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_REGION: bucket.region,
      AWS_ACCESS_KEY_ID: bucket.uploader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: bucket.uploader.secretAccessKey,
    };
    const [reading, writing] = [edgeOf(place, env), edgeOf(place, env)];
    expect(await doctor(reading.edge, {})).toBe(0);
    const before = await bucket.versions('training-logs/');
    expect(before.map(({ key }) => key)).toEqual([Key]);
    expect(reading.said()).toMatch(/allowed: s3:ListBucket, s3:GetObject; not tried/);
    expect(await doctor(writing.edge, { write: true })).toBe(0);
    expect(writing.said()).toMatch(/allowed: s3:ListBucket, s3:GetObject, s3:PutObject;/);
    const after = await bucket.versions('training-logs/');
    const written = after.map(({ key }) => key).filter((key) => key !== Key);
    expect(written).toEqual([expect.stringMatching(/^training-logs\/\.trainlogd-doctor\/[^/]+$/)]);
    const uploaders = (await requestsTo(bucket)).filter(({ user }) => user === 's3uploader');
    expect(uploaders.length).toBeGreaterThan(6);
    expect(uploaders.filter(({ status }) => status >= 400)).toEqual([]);
  });
});
