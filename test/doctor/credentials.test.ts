import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkCredentials } from '../../src/doctor/credentials.ts';
import { makePlace, runAgent } from '../support/agent.ts';
import { isList, listAnswer, scriptedS3 } from '../support/scripted-s3.ts';
import { visitOf } from './visit.ts';

const id = 'AKIAIOSFODNN7EXAMPLE';
const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const s3 = { TRAINLOGD_DESTINATION_URL: 's3://bucket', AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9' };

interface Held {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** What is said of credentials that the server was not asked about. */
async function said(identity: Held, source = 'environment'): Promise<string[]> {
  const credentials = {
    current: async () => identity,
    refused: () => undefined,
    describe: () => ({ source }),
  };
  const clock = {
    signingDate: () => new Date(0),
    observe: () => undefined,
    refused: () => undefined,
    offsetMs: () => 0,
  };
  const more = () => ({ access: { credentials, clock }, bucket: async () => undefined });
  const { visit } = await visitOf({ env: s3, more });
  const result = await checkCredentials(visit);
  if ('because' in result) throw new Error(result.because);
  return result.map(({ code, finding }) => `${code}: ${finding}`);
}

test.each<[string, Held, RegExp[]]>([
  ['a pair as Amazon gives it', { accessKeyId: id, secretAccessKey: secret }, []],
  ['a pair of another server', { accessKeyId: 'minio', secretAccessKey: 'minio123' }, []],
  [
    'spaces inside the id',
    { accessKeyId: 'AKIAIOSF ODNN7EXAMPL', secretAccessKey: secret },
    [/shape: there are spaces or quotes in AWS_ACCESS_KEY_ID/],
  ],
  [
    'an id that is cut',
    { accessKeyId: id.slice(0, 18), secretAccessKey: secret },
    [/AWS_ACCESS_KEY_ID has 18 characters/],
  ],
  [
    'a quote in the secret',
    { accessKeyId: id, secretAccessKey: `"${secret}` },
    [/quotes in AWS_SECRET_ACCESS_KEY/],
  ],
  [
    'a space without width in it',
    { accessKeyId: id, secretAccessKey: `${secret}\u200b` },
    [/spaces or quotes in AWS_SECRET/],
  ],
  [
    'a secret that is cut',
    { accessKeyId: id, secretAccessKey: secret.slice(1) },
    [/AWS_SECRET_ACCESS_KEY has 39 characters/],
  ],
  [
    'the id as the secret',
    { accessKeyId: id, secretAccessKey: id },
    [/20 characters/, /looks like an access key id/],
  ],
  [
    'a temporary one without its token',
    { accessKeyId: `ASIA${id.slice(4)}`, secretAccessKey: secret },
    [/tokenMissing/],
  ],
  [
    'a lasting one with a token',
    { accessKeyId: id, secretAccessKey: secret, sessionToken: 'x'.repeat(90) },
    [/has no session token, and one is set/],
  ],
  [
    'one that ends soon',
    { accessKeyId: id, secretAccessKey: secret, expiration: new Date(Date.now() + 600_000) },
    [/expiring: the credentials end in 10 min/],
  ],
])('%s', async (_, identity, expected) => {
  const [first, ...more] = await said(identity);
  expect(first).toMatch(/^credentials\.ok: .* from environment; the server was not asked$/);
  expect(more).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  expect([first, ...more].join()).not.toContain(identity.secretAccessKey.slice(0, 12));
});

test('those that a role renews end soon without a word', async () => {
  const expiration = new Date(Date.now() + 600_000);
  expect(await said({ accessKeyId: id, secretAccessKey: secret, expiration }, 'instance role')).toHaveLength(
    1,
  );
});

test('a .env file with all that people do to it is read, and said to be odd where others would read it wrongly', async () => {
  const place = await makePlace();
  const { endpoint } = await scriptedS3((request) => (isList(request) ? listAnswer() : { status: 404 }));
  const lines = [
    '\uFEFF# our bucket',
    `export AWS_ACCESS_KEY_ID = "${id}"`,
    `AWS_SECRET_ACCESS_KEY= '${secret}' `,
    'AWS_REGION=us-east-1',
    'S3_BUCKET_NAME="training"',
    `AWS_ENDPOINT_URL_S3=${endpoint}`,
  ];
  writeFileSync(join(place.folder, '.env'), lines.join('\r\n'));
  chmodSync(join(place.folder, '.env'), 0o644);
  const env = { TRAINLOGD_DESTINATION_URL: undefined };
  const { exit, stdout } = await runAgent(place, ['doctor'], { env });
  const flat = stdout.replace(/\s+/g, ' ');
  expect(exit, stdout).toBe(0);
  expect(flat).toMatch(
    /byte order mark .*, carriage returns .*, "export" before names: read rightly here; others, docker/,
  );
  expect(flat).toMatch(
    /\(AWS_SECRET_ACCESS_KEY\): (spaces and quotes|quotes and spaces) around the value were removed .*to do write NAME=value, .* code config\.warning/,
  );
  expect(flat).toMatch(
    /\.env" holds keys and can be read by every user of this host to do chmod 600 .* code config\.envFileOpen/,
  );
  expect(flat).toMatch(/credentials AKIA…MPLE from \.env file .*; the server takes them/);
  expect(stdout).not.toContain(secret.slice(0, 12));
});

test('a configuration that does not hold is told with all its problems, and what can be looked at still is', async () => {
  const place = await makePlace();
  const env = {
    TRAINLOGD_DESTINATION_URL: undefined,
    S3_BUCKETNAME: 'training',
    TRAINLOGD_WATCH_IDLE: 'long',
    TRAINLOGD_HTTP_LISTEN: 'off',
  };
  const { exit, stdout } = await runAgent(place, ['doctor', '--json'], { env });
  const { rooms } = JSON.parse(stdout) as {
    rooms: { room: string; skipped?: string; findings: { code: string; finding: string }[] }[];
  };
  const at = (name: string) => rooms.find(({ room }) => room === name);
  expect(exit).toBe(1);
  expect(at('configuration')?.findings.map(({ code }) => code)).toEqual(['config.problem', 'config.problem']);
  expect(
    at('configuration')
      ?.findings.map(({ finding }) => finding)
      .join(),
  ).toMatch(/watch\.idle.*S3_BUCKETNAME is set/s);
  expect(at('folder')?.findings[0]?.code).toBe('folder.ok');
  expect(at('state')?.findings[0]?.code).toBe('state.absent');
  expect(at('bucket')?.skipped).toBe('no destination is configured');
});
