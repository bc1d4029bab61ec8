import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetBucketTaggingCommand, PutBucketTaggingCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { makePlace, type Place, runAgent } from '../support/agent.ts';
import { describeS3, makeBucket, type TestCredentials } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { errorAnswer, scriptedS3 } from '../support/scripted-s3.ts';

type Env = Readonly<Record<string, string>>;
const noRole = { AWS_EC2_METADATA_DISABLED: 'true' };

const pair = ({ accessKeyId, secretAccessKey }: TestCredentials) => ({
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
});
const fileOf = (variables: Env) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');

/** A host whose `.env` file is the guide's: bucket and keys of the agent. */
async function hostWith(dotenv: Env): Promise<Place> {
  const place = await makePlace();
  await writeFile(join(place.folder, '.env'), fileOf(dotenv));
  return place;
}

function bucket(place: Place, command: 'plan' | 'apply', env: Env, ...more: string[]) {
  // The destination of `makePlace` would hide that of the file.
  const { TRAINLOGD_DESTINATION_URL: _, ...own } = place.env;
  return runAgent({ ...place, env: { ...own, ...noRole } }, ['bucket', command, ...more], { env });
}

describeS3('trainlogd bucket, on a server that is not AWS', () => {
  test('plan exits with 2, apply makes it so, apply again changes nothing, plan exits with 0', async () => {
    const known = await makeBucket();
    const { endpoint, region, uploader, ownerCredentials, owner } = known;
    const name = `test-${randomBytes(8).toString('hex')}`;
    const place = await hostWith({
      ...pair(uploader),
      AWS_REGION: region,
      AWS_ENDPOINT_URL_S3: endpoint,
      S3_BUCKET_NAME: name,
      TRAINLOGD_BUCKET_TAGS: 'team=vision',
      TRAINLOGD_BUCKET_ACCESS_LOG_BUCKET: 'the-access-logs',
    });
    const admin = pair(ownerCredentials);
    const planned = await bucket(place, 'plan', admin);
    expect(planned).toMatchObject({ exit: 2, stderr: '' });
    expect(planned.stdout).toMatch(/^asked with your credentials: environment$/m);
    expect(planned.stdout).toMatch(/^ {2}bucket\n {4}have: there is none\n {4}want: "test-/m);
    expect(planned.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);

    const first = await bucket(place, 'apply', admin);
    expect(first).toMatchObject({ exit: 0, stderr: '' });
    const changing = /\nchanging\n(.*?)\n\n/s.exec(first.stdout)?.[1];
    expect(changing?.split('\n')).toEqual(
      ['bucket', 'publicAccess', 'versioning', 'lifecycle', 'tags'].map((setting) => `  ${setting}: done`),
    );
    expect(first.stdout).toMatch(/^all is as it shall be$/m);

    await owner.send(
      new PutBucketTaggingCommand({
        Bucket: name,
        Tagging: {
          TagSet: [
            { Key: 'team', Value: 'vision' },
            { Key: 'theirs', Value: 'x' },
          ],
        },
      }),
    );
    const second = await bucket(place, 'apply', admin, '--json');
    const told = JSON.parse(second.stdout) as {
      steps: object[];
      after: { setting: string; state: string }[];
    };
    expect({ exit: second.exit, steps: told.steps }).toEqual({ exit: 0, steps: [] });
    const { exit, stdout } = await bucket(place, 'plan', admin);
    expect({ exit, end: stdout.trim().split('\n').at(-1) }).toEqual({ exit: 0, end: 'nothing differs' });
    // What the server lacks or would be harmed by is named, and no failure.
    const states = told.after
      .filter(({ state }) => state !== 'right')
      .map((one) => `${one.setting} ${one.state}`);
    expect(states).toEqual([
      ...['public access withheld', 'object ownership lacking', 'encryption lacking'],
      ...['storage classes note', 'access log lacking'],
    ]);
    const tags = await owner.send(new GetBucketTaggingCommand({ Bucket: name }));
    expect(tags.TagSet?.map(({ Key }) => Key).toSorted()).toEqual(['team', 'theirs']);
    if (serverLog === undefined) return;
    const requests = (await requestsTo({ ...known, bucket: name })).filter(({ user }) => user === 's3owner');
    const writes = requests
      .filter(({ method }) => method === 'PUT')
      .map(({ target }) => target.split('?')[1] ?? '');
    expect(writes.filter((query) => !query.startsWith('tagging'))).toEqual([
      '',
      expect.stringMatching(/^publicAccessBlock/),
      expect.stringMatching(/^versioning/),
      expect.stringMatching(/^lifecycle/),
    ]);
    expect([...new Set(requests.map(({ status }) => status))].toSorted()).toEqual([200, 404]);
  });

  test("the agent's own keys change nothing, wherever they are found", async () => {
    const { endpoint, region, uploader, ownerCredentials, owner } = await makeBucket();
    const name = `test-${randomBytes(8).toString('hex')}`;
    const where = { AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpoint, S3_BUCKET_NAME: name };
    // Keys that could do it all: it is not for want of rights that they are not used.
    const place = await hostWith({ ...where, ...pair(ownerCredentials) });
    const only = await bucket(place, 'apply', {});
    expect(only).toMatchObject({ exit: 77, stdout: '' });
    expect(only.stderr).toMatch(/none are set up here .*set AWS_PROFILE .*\.env file are the agent's/);
    const sourced = await bucket(place, 'apply', pair(ownerCredentials));
    expect(sourced).toMatchObject({ exit: 77, stdout: '' });
    expect(sourced.stderr).toMatch(/AWS_ACCESS_KEY_ID of the environment is that of the \.env file/);
    for (const { stderr } of [only, sourced]) expect(stderr).not.toContain(ownerCredentials.secretAccessKey);
    const tagging = owner.send(new GetBucketTaggingCommand({ Bucket: name }));
    await expect(tagging).rejects.toMatchObject({ name: 'NoSuchBucket' });

    const home = place.env['HOME'] ?? '';
    await mkdir(join(home, '.aws'));
    const keys = {
      aws_access_key_id: ownerCredentials.accessKeyId,
      aws_secret_access_key: ownerCredentials.secretAccessKey,
    };
    await writeFile(join(home, '.aws', 'credentials'), `[admin]\n${fileOf(keys)}`);
    const byProfile = await bucket(place, 'apply', { AWS_PROFILE: 'admin' });
    expect(byProfile).toMatchObject({ exit: 77, stdout: '' });
    expect(byProfile.stderr).toMatch(/profile "admin" in .* has the key of the \.env file: set AWS_PROFILE/);
    await expect(owner.send(new GetBucketTaggingCommand({ Bucket: name }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });

    await writeFile(join(place.folder, '.env'), fileOf({ ...where, ...pair(uploader) }));
    // A profile that is named goes before keys of the environment, as in AWS's tools.
    const { exit, stdout } = await bucket(place, 'plan', {
      AWS_ACCESS_KEY_ID: 'SOMEBODYELSES0000001',
      AWS_SECRET_ACCESS_KEY: 'made-up',
      AWS_PROFILE: 'admin',
    });
    expect(exit).toBe(2);
    expect(stdout).toContain('asked with your credentials: profile "admin" in');
  });

  test('a caller without the rights is told which one is missing, with exit code 77', async () => {
    const { bucket: name, endpoint, region, uploader } = await makeBucket();
    const place = await hostWith({ AWS_REGION: region, AWS_ENDPOINT_URL_S3: endpoint, S3_BUCKET_NAME: name });
    const { exit, stdout, stderr } = await bucket(place, 'apply', pair(uploader));
    expect({ exit, stdout }).toEqual({ exit: 77, stdout: '' });
    expect(stderr).toMatch(
      /s3:GetBucketVersioning on s3:\/\/test-.*AccessDenied.*: allow s3:GetBucketVersioning to/,
    );
  });
});

describe('trainlogd bucket', () => {
  const versioningOff = '<VersioningConfiguration/>';
  const keys = { AWS_ACCESS_KEY_ID: 'CALLERSKEY0000000001', AWS_SECRET_ACCESS_KEY: 'made-up' };
  const named = { S3_BUCKET_NAME: 'your-company-training-logs', AWS_REGION: 'us-east-1' };

  test('says of a server that does not answer what to check, with exit code 69', async () => {
    const { endpoint } = await scriptedS3(() => errorAnswer(404, 'NoSuchBucket'));
    const place = await hostWith({ ...named, AWS_ENDPOINT_URL_S3: endpoint.replace(/\d+$/, '9') });
    const { exit, stderr } = await bucket(place, 'plan', keys);
    expect(exit).toBe(69);
    expect(stderr).toMatch(
      /^trainlogd: s3:GetBucketVersioning on s3:.*ECONNREFUSED.*check that the endpoint/,
    );
  });

  test('says who the caller is where the endpoint tells it', async () => {
    const Arn = 'arn:aws:iam::111122223333:user/admin';
    const told = `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${Arn}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`;
    const { endpoint } = await scriptedS3(({ method }) =>
      method === 'POST' ? { status: 200, body: told } : errorAnswer(404, 'NoSuchBucket'),
    );
    const place = await hostWith({ ...named, AWS_ENDPOINT_URL_S3: endpoint });
    const [people, json] = [await bucket(place, 'plan', keys), await bucket(place, 'plan', keys, '--json')];
    expect(people.stdout).toContain(`asked with your credentials: environment, ${Arn}`.slice(0, 60));
    expect(JSON.parse(json.stdout)).toMatchObject({ credentials: 'environment', identity: Arn });
  });

  test('names the step that failed, does the others, and exits with 77', async () => {
    let tagging = '';
    const { endpoint } = await scriptedS3(({ method, url, body }) => {
      if (url.includes('versioning'))
        return method === 'PUT' ? errorAnswer(403, 'AccessDenied') : { status: 200, body: versioningOff };
      if (!url.includes('tagging')) return errorAnswer(501, 'NotImplemented');
      if (method === 'PUT') tagging = body.toString();
      return tagging === '' ? errorAnswer(404, 'NoSuchTagSet') : { status: 200, body: tagging };
    });
    const env = { ...named, TRAINLOGD_BUCKET_TAGS: 'team=vision', AWS_ENDPOINT_URL_S3: endpoint };
    const place = await hostWith(env);
    const { exit, stdout } = await bucket(place, 'apply', keys, '--json');
    expect(exit).toBe(77);
    const { steps } = JSON.parse(stdout) as {
      steps: { setting: string; outcome: string; remedy?: string }[];
    };
    expect(steps.map(({ setting, outcome }) => `${setting} ${outcome}`)).toEqual([
      'versioning failed',
      'tags done',
    ]);
    expect(steps[0]?.remedy).toMatch(/^allow s3:PutBucketVersioning/);
    tagging = '';
    const people = await bucket(place, 'apply', keys);
    expect(people.exit).toBe(77);
    expect(people.stdout).toMatch(/^ {2}versioning: FAILED: s3:PutBucketVersioning on s3:/m);
    expect(people.stdout).toMatch(/^ {4}to do: allow s3:PutBucketVersioning/m);
    expect(people.stdout).toMatch(/^not all is done; failed: versioning$/m);
  });

  test('prints what stands in a bucket without the escapes in it', async () => {
    const value = '&#x9b;2J&#x202e;x';
    const hostile = `<Tagging><TagSet><Tag><Key>a</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;
    const { endpoint } = await scriptedS3(({ url }) => {
      if (url.includes('versioning')) return { status: 200, body: versioningOff };
      if (url.includes('tagging')) return { status: 200, body: hostile };
      return errorAnswer(501, 'NotImplemented');
    });
    const place = await hostWith({ ...named, TRAINLOGD_BUCKET_TAGS: 'a=b', AWS_ENDPOINT_URL_S3: endpoint });
    const { exit, stdout } = await bucket(place, 'plan', keys);
    expect(exit).toBe(2);
    expect(stdout).toContain('have: a=\\u009b2J\\u202ex');
  });

  test.each([
    ['a directory', { TRAINLOGD_DESTINATION_URL: 'file:///srv/logs' }, /the destination is a directory/],
    [
      'an access log into itself',
      { ...named, TRAINLOGD_BUCKET_ACCESS_LOG_BUCKET: named.S3_BUCKET_NAME },
      /must be another bucket/,
    ],
  ])('of %s exits with 78', async (_, env, words) => {
    const place = await hostWith({});
    const { exit, stdout, stderr } = await bucket(place, 'plan', { ...keys, ...env });
    expect({ exit, stdout }).toEqual({ exit: 78, stdout: '' });
    expect(stderr).toMatch(words);
  });
});
