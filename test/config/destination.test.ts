import { mkdirSync, symlinkSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { load, loadError, makeDirectory } from './support.ts';

const to = (url: string) => ({ overrides: { 'destination.url': url } });

describe('a bucket', () => {
  test.each(['s3://a-bucket', 's3://a-bucket/'])('%s is accepted', (url) => {
    expect(load(to(url)).config.destination).toMatchObject({ kind: 's3', bucket: 'a-bucket' });
  });

  test.each([
    ['s3://bucket/prefix', 'put it into destination.keyTemplate'],
    ['s3://Bucket', 'not a bucket name'],
    ['s3://', 'not a bucket name'],
    ['s3://10.0.0.1', 'not a bucket name'],
    ['gs://bucket', 'accepted: s3://BUCKET or file:///ABSOLUTE/PATH'],
    ['/data/logs', 'accepted: s3://BUCKET or file:///ABSOLUTE/PATH'],
  ])('%s is refused', (url, expected) => {
    expect(loadError(to(url)).problems).toMatchObject([
      {
        key: 'destination.url',
        value: JSON.stringify(url),
        problem: expect.stringContaining(expected),
        at: 'command line',
      },
    ]);
  });

  test.each([
    [{ S3_BUCKET: 'x' }, 'S3_BUCKET is set'],
    [{ S3_BUCKETNAME: 'x', AWS_BUCKET: 'y' }, 'S3_BUCKETNAME is set'],
    [{ AWS_BUCKET: 'x' }, 'AWS_BUCKET is set'],
    [{ s3_bucket_name: 'x' }, 's3_bucket_name is set'],
  ])('that is missing names the variable, the key and the nearest of %j', (env, expected) => {
    const { problems } = loadError({ env: { ...env, S3_BUCKET_NAME: undefined } });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.problem).toContain('S3_BUCKET_NAME=BUCKET, or destination.url');
    expect(problems[0]?.problem).toContain(expected);
  });

  test('without a region is taken to be in us-east-1, with a warning', () => {
    const { config, warnings } = load({ env: { AWS_REGION: undefined } });
    expect(config.destination).toMatchObject({ region: 'us-east-1' });
    expect(warnings).toEqual([expect.stringContaining('us-east-1 is assumed')]);
  });

  test('takes AWS_DEFAULT_REGION only where AWS_REGION is unset', () => {
    const env = { AWS_DEFAULT_REGION: 'us-west-1' };
    expect(load({ env }).config.destination).toMatchObject({ region: 'eu-central-1' });
    expect(load({ env: { ...env, AWS_REGION: '' } }).config.destination).toMatchObject({
      region: 'us-west-1',
    });
  });

  test('on a server of its own has the bucket in the path, us-east-1 without a warning, and looser names', () => {
    const env = {
      AWS_ENDPOINT_URL: 'http://b:1',
      AWS_ENDPOINT_URL_S3: 'http://a:1',
      AWS_REGION: '',
      S3_BUCKET_NAME: 'My_Logs',
    };
    const { config, warnings } = load({ env });
    expect(config.destination).toMatchObject({
      endpoint: 'http://a:1',
      pathStyle: true,
      region: 'us-east-1',
      bucket: 'My_Logs',
    });
    expect(warnings).toEqual([]);
    const virtual = load({ env: { ...env, TRAINLOGD_DESTINATION_PATH_STYLE: 'false' } });
    expect(virtual.config.destination).toMatchObject({ pathStyle: false });
  });

  test.each(['GLACIER', 'DEEP_ARCHIVE', 'STANDRD'])(
    'in the storage class %s is refused on AWS',
    (storageClass) => {
      const overrides = { 'destination.storageClass': storageClass };
      expect(loadError({ overrides }).problems).toMatchObject([{ key: 'destination.storageClass' }]);
      const own = load({ overrides, env: { AWS_ENDPOINT_URL_S3: 'http://a:1' } });
      expect(own.config.destination).toMatchObject({ storageClass });
    },
  );

  test('with a KMS key needs encryption by KMS', () => {
    expect(loadError({ overrides: { 'destination.kmsKeyId': 'k' } }).problems).toMatchObject([
      { key: 'destination.kmsKeyId' },
    ]);
  });
});

describe('a key template', () => {
  test.each(['training-logs/{session-id}.log', 'training-logs/{year}-{month}/{session-id}/log'])(
    '%s is accepted',
    (template) => {
      const { config, warnings } = load({ overrides: { 'destination.keyTemplate': template } });
      expect(config.destination.keyTemplate).toBe(template);
      expect(warnings).toEqual([]);
    },
  );

  test("outside the guide's prefix draws a warning", () => {
    expect(load({ overrides: { 'destination.keyTemplate': 'logs/{session-id}' } }).warnings).toHaveLength(1);
  });

  test.each([
    ['training-logs/x.log', '{session-id} is missing'],
    ['{day}/{session-id}', 'unknown placeholder {day}'],
    ['{session-id', 'a brace without its partner'],
    ['/{session-id}', 'leading slash'],
    ['a/../{session-id}', '".."'],
    ['a//{session-id}', 'empty parts'],
    ['{session-id}/', 'empty parts'],
    [`${'é'.repeat(250)}{session-id}`, '512 bytes'],
    ['', '{session-id} is missing'],
  ])('%j is refused', (template, expected) => {
    const { problems } = loadError({ overrides: { 'destination.keyTemplate': template } });
    expect(problems).toMatchObject([
      { key: 'destination.keyTemplate', problem: expect.stringContaining(expected) },
    ]);
  });
});

describe('a local directory', () => {
  test.each([
    ['file:///data/logs', '/data/logs'],
    ['file:///data/logs/', '/data/logs'],
    ['file://localhost/data/logs', '/data/logs'],
    ['file:///data/a%20b', '/data/a b'],
  ])('%s is %s', (url, path) => {
    const keyTemplate = 'training-logs/{year}/{month}/{session-id}.log';
    expect(load(to(url)).config.destination).toEqual({ kind: 'directory', path, keyTemplate });
  });

  test.each(['file://data/logs', 'file:data', 'file:///', 'file:///a%2Fb', 'file:///a?b'])(
    '%s is refused',
    (url) => {
      expect(loadError(to(url)).problems).toMatchObject([
        { key: 'destination.url', value: JSON.stringify(url) },
      ]);
    },
  );

  test.each(['/data/out', '/data/out/sub', '/data', '/data/out/../out'])(
    '%s touches the watched /data/out',
    (path) => {
      const overrides = { 'destination.url': `file://${path}`, 'watch.directory': '/data/out' };
      expect(loadError({ overrides }).message).toContain('must be apart from the watched folder "/data/out"');
    },
  );

  test('/data/output beside /data/out is apart from it', () => {
    const overrides = { 'destination.url': 'file:///data/output', 'watch.directory': '/data/out' };
    expect(load({ overrides }).config.destination).toMatchObject({ path: '/data/output' });
  });

  test('that reaches into the watched folder by a link is refused', () => {
    const cwd = makeDirectory();
    mkdirSync(`${cwd}/out/deep`, { recursive: true });
    symlinkSync(`${cwd}/out/deep`, `${cwd}/link`);
    const overrides = { 'destination.url': `file://${cwd}/link/logs`, 'watch.directory': 'out' };
    expect(loadError({ cwd, overrides }).message).toContain('must be apart');
  });

  test('in a tree of the system is refused, also through a link', () => {
    const cwd = makeDirectory();
    symlinkSync('/proc', `${cwd}/link`);
    for (const path of ['/proc/logs', '/sys', `${cwd}/link/logs`]) {
      const { problems } = loadError({ cwd, overrides: { 'destination.url': `file://${path}` } });
      expect(problems).toMatchObject([
        { key: 'destination.url', problem: expect.stringMatching(/^keeps no files/) },
      ]);
    }
    const overrides = { 'destination.url': 'file:///process/logs' };
    expect(load({ overrides }).config.destination).toMatchObject({ path: '/process/logs' });
  });

  test('is never joined with deletion', () => {
    const overrides = { 'destination.url': 'file:///data/logs', 'retention.localFiles': 'delete' };
    expect(loadError({ overrides }).problems).toMatchObject([
      { key: 'retention.localFiles', value: '"delete"' },
    ]);
  });

  test('does not ask for the whole of a key pair', () => {
    expect(load({ ...to('file:///data/logs'), env: { AWS_ACCESS_KEY_ID: 'AKIA' } }).warnings).toEqual([]);
  });
});

describe('credentials', () => {
  const pair = { AWS_ACCESS_KEY_ID: 'AKIA1', AWS_SECRET_ACCESS_KEY: 's1' };
  const credentialsOf = (inputs: Parameters<typeof load>[0]) => {
    const { destination } = load(inputs).config;
    return destination.kind === 's3' ? destination.credentials : undefined;
  };

  test('are absent where no variable sets them', () => expect(credentialsOf({})).toBeUndefined());

  test('of the environment are not mixed with the token of a .env file', () => {
    const cwd = makeDirectory({ '.env': 'AWS_SESSION_TOKEN=other' });
    expect(credentialsOf({ cwd, env: pair })).toEqual({ accessKeyId: 'AKIA1', secretAccessKey: 's1' });
  });

  test('may be half in the environment and half in the .env file', () => {
    const cwd = makeDirectory({ '.env': 'AWS_ACCESS_KEY_ID=AKIA2\nAWS_SESSION_TOKEN=t2' });
    expect(credentialsOf({ cwd, env: { AWS_SECRET_ACCESS_KEY: 's1' } })).toEqual({
      accessKeyId: 'AKIA2',
      secretAccessKey: 's1',
      sessionToken: 't2',
    });
  });

  test('end when the variable beside them says so, and a time that is none is told', () => {
    const until = (said: string) => load({ env: { ...pair, AWS_CREDENTIAL_EXPIRATION: said } });
    const cwd = makeDirectory({ '.env': 'AWS_CREDENTIAL_EXPIRATION=2026-01-31T12:00:00Z' });
    expect(
      credentialsOf({ env: { ...pair, AWS_CREDENTIAL_EXPIRATION: '2026-01-31T12:00:00+00:00' } }),
    ).toEqual({
      accessKeyId: 'AKIA1',
      secretAccessKey: 's1',
      expiration: new Date('2026-01-31T12:00:00Z'),
    });
    expect(credentialsOf({ cwd, env: pair })).not.toHaveProperty('expiration');
    expect(until('soon').warnings).toEqual([
      expect.stringMatching(/AWS_CREDENTIAL_EXPIRATION.*no time such as/),
    ]);
  });

  test.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'])('with %s alone are refused', (name) => {
    expect(loadError({ env: { [name]: 'x' } }).problems).toMatchObject([{ key: name }]);
  });

  test('with white space inside are refused', () => {
    expect(loadError({ env: { ...pair, AWS_SECRET_ACCESS_KEY: 'a b' } }).problems).toMatchObject([
      { key: 'AWS_SECRET_ACCESS_KEY', problem: 'white space inside the value' },
    ]);
  });

  test('that are temporary and lack their token, or a token that lacks its keys, draw a warning', () => {
    expect(load({ env: { ...pair, AWS_ACCESS_KEY_ID: 'ASIA1' } }).warnings).toHaveLength(1);
    expect(load({ env: { AWS_SESSION_TOKEN: 't' } }).warnings).toHaveLength(1);
  });
});
