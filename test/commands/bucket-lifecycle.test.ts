import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, onTestFinished, test } from 'vitest';
import { makePlace, runAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { describeS3 } from '../support/s3.ts';
import { serverLog } from '../support/s3-requests.ts';

const script = join(import.meta.dirname, '..', 's3-server');
const dayMs = 2_000;

/** A server of this test alone, whose days of lifecycle rules last two seconds. */
async function hurriedServer(): Promise<Readonly<Record<string, string>>> {
  const directory = join(tmpdir(), `trainlogd-days-${process.pid}`);
  const env = {
    ...process.env,
    S3_SERVER_DIR: directory,
    S3_SERVER_PORT: String(await freePort()),
    S3_SERVER_LC_DAY: String(dayMs / 1000),
    S3_SERVER_SIZE: '512M',
  };
  onTestFinished(async () => {
    // It does not end by itself while its lifecycle is at work, and keeps nothing.
    process.kill(Number(readFileSync(join(directory, 'run', 'rgw.pid'), 'utf8')), 'SIGKILL');
    spawnSync(script, ['reset'], { env });
    await rm(`${directory}.lock`, { force: true });
  });
  const { status, stdout, stderr } = spawnSync(script, ['start'], { env, encoding: 'utf8' });
  if (status !== 0) throw new Error(`starting a server with short days: ${stderr}`);
  return Object.fromEntries(
    [...stdout.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

describeS3('the lifecycle that trainlogd bucket apply sets', () => {
  test.skipIf(serverLog === undefined)(
    'deletes, tidies up and aborts under the prefix, and nowhere else',
    async () => {
      const server = await hurriedServer();
      const [endpoint = '', region = ''] = [server['S3_TEST_ENDPOINT'], server['S3_TEST_REGION']];
      const credentials = {
        accessKeyId: server['S3_TEST_OWNER_ACCESS_KEY_ID'] ?? '',
        secretAccessKey: server['S3_TEST_OWNER_SECRET_ACCESS_KEY'] ?? '',
      };
      const Bucket = 'your-company-training-logs';
      const env = {
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_REGION: region,
        AWS_ENDPOINT_URL_S3: endpoint,
        TRAINLOGD_DESTINATION_URL: `s3://${Bucket}`,
        TRAINLOGD_BUCKET_EXPIRE_AFTER: '2d',
      };
      const applied = await runAgent(await makePlace(), ['bucket', 'apply'], { env });
      expect(applied).toMatchObject({ exit: 0, stderr: '' });
      expect(applied.stdout).toMatch(/deleted after 2 days/);

      const owner = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
      onTestFinished(() => owner.destroy());
      for (const Key of ['training-logs/2024/03/one.log', 'elsewhere/one.log'])
        await owner.send(new PutObjectCommand({ Bucket, Key, Body: '{}\n' }));
      const deleted = await owner.send(
        new DeleteObjectCommand({ Bucket, Key: 'training-logs/marker-alone' }),
      );
      // From here on its days run: it may be gone before anybody lists it.
      expect(deleted.DeleteMarker).toBe(true);
      for (const Key of ['training-logs/unfinished', 'elsewhere/unfinished'])
        await owner.send(new CreateMultipartUploadCommand({ Bucket, Key }));

      const current = async () => {
        const { Versions = [], DeleteMarkers = [] } = await owner.send(
          new ListObjectVersionsCommand({ Bucket }),
        );
        const markers = DeleteMarkers.map(({ Key = '' }) => Key);
        return { objects: Versions.filter(({ IsLatest }) => IsLatest).map(({ Key }) => Key), markers };
      };
      const days = { timeoutMs: 10 * dayMs, everyMs: 200 };
      await eventually(async () => !(await current()).markers.includes('training-logs/marker-alone'), days);
      await eventually(async () => (await current()).objects.length === 1, days);
      expect((await current()).objects).toEqual(['elsewhere/one.log']);
      const uploads = async () => {
        const { Uploads = [] } = await owner.send(new ListMultipartUploadsCommand({ Bucket }));
        return Uploads.map(({ Key }) => Key);
      };
      await eventually(async () => (await uploads()).length === 1, days);
      expect(await uploads()).toEqual(['elsewhere/unfinished']);
    },
    // Fourteen seconds of it are the seven days of an unfinished upload.
    90_000,
  );
});
