import { appendFileSync, chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { credentialSources, type KeyPair } from '../../src/adapters/aws-credential-sources.ts';
import { type AwsCredentials, createAwsCredentials } from '../../src/adapters/aws-credentials.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { Failure } from '../../src/domain/failure.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { eventually } from '../support/eventually.ts';
import { type ScriptedAnswer, type ScriptedRequest, scriptedS3 } from '../support/scripted-s3.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const secret = 'top-secret-0123456789';
const soon = () => new Date(systemClock.nowMs() + 3_600_000).toISOString();

/** Nothing of this machine: no instance metadata, no profile, no key. */
beforeEach(() => {
  for (const name of ['AWS_PROFILE', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    vi.stubEnv(name, undefined);
  return () => vi.unstubAllEnvs();
});

type Env = Record<string, string>;

async function makeHome(files: { credentials?: string; config?: string } = {}) {
  const home = await temporaryDirectory();
  mkdirSync(join(home, '.aws'));
  // What the providers look up by themselves, such as tokens of SSO, lies there too.
  vi.stubEnv('HOME', home);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, '.aws', name), text);
  return home;
}

function open(home: string | undefined, env: Env = {}, keyPair?: KeyPair) {
  const clock = new FakeClock(systemClock.nowMs());
  const told: string[] = [];
  const own = { AWS_EC2_METADATA_DISABLED: 'true', ...env };
  const credentials = createAwsCredentials({
    sources: credentialSources({ env: own, homeDirectory: home, region: 'us-east-1', keyPair }),
    clock,
    signingClock: {
      signingDate: () => new Date(clock.nowMs()),
      offsetMs: () => 0,
      observe: () => undefined,
      refused: () => undefined,
    },
    onChanged: ({ source }) => told.push(`changed: ${source}`),
    onProblem: ({ cause }) => told.push(`problem: ${cause}`),
  });
  return { credentials, clock, told };
}

/** Lets it look at the files, and waits until it uses this key. */
async function looked(credentials: AwsCredentials, clock: FakeClock, accessKeyId: string): Promise<void> {
  await clock.advance(3000);
  await credentials.current();
  await eventually(async () => (await credentials.current()).accessKeyId === accessKeyId);
}

async function troubled(credentials: AwsCredentials, clock: FakeClock, problem: string): Promise<void> {
  await clock.advance(3000);
  await eventually(async () => {
    await credentials.current();
    return credentials.describe().problem?.includes(problem);
  });
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    (value) => value,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) return expect.fail(`expected a Failure, got ${inspect(error)}`);
  expect(error.kind).toBe('blocked');
  expect(error.remedy).not.toBe('');
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(secret);
  return error;
}

const pairOf = (id: string, name = 'default') =>
  `[${name}]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`;

describe('the shared files', () => {
  test('are read again when they change, by whatever way they were written', async () => {
    const home = await makeHome({ credentials: pairOf('FIRST') });
    const file = join(home, '.aws', 'credentials');
    const { credentials, clock, told } = open(home);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'FIRST' });
    expect(credentials.describe()).toEqual({ source: `profile "default" in ${file}` });

    writeFileSync(file, pairOf('SECOND'));
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'FIRST' });
    await looked(credentials, clock, 'SECOND');

    writeFileSync(`${file}.new`, pairOf('THIRD'));
    renameSync(`${file}.new`, file);
    await looked(credentials, clock, 'THIRD');
    expect(told).toHaveLength(2);

    appendFileSync(file, '# only a comment\n');
    await looked(credentials, clock, 'THIRD');
    expect(told).toHaveLength(2);
  });

  test('that were torn or removed leave the old pair in force, until it is refused', async () => {
    const home = await makeHome({ credentials: pairOf('FIRST') });
    const file = join(home, '.aws', 'credentials');
    const { credentials, clock, told } = open(home);
    await credentials.current();
    writeFileSync(file, '[default]\naws_access_key_id = SECOND\n');
    await troubled(credentials, clock, 'profile "default"');
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'FIRST' });
    rmSync(file);
    await troubled(credentials, clock, 'none are set up');
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'FIRST' });
    expect(told.map((line) => line.slice(0, 8))).toEqual(['problem:', 'problem:']);
    credentials.refused('FIRST');
    expect(await failureOf(credentials.current())).toMatchObject({ code: 'NoCredentials' });
    writeFileSync(file, pairOf('SECOND'));
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'SECOND' });
  });

  test('are waited for while what they gave before is known to be refused', async () => {
    const home = await makeHome({ credentials: pairOf('WRONG') });
    const { credentials, clock } = open(home);
    for (let n = 0; n < 2; n++) {
      await credentials.current();
      credentials.refused('WRONG');
    }
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'WRONG' });
    writeFileSync(join(home, '.aws', 'credentials'), pairOf('RIGHT'));
    await clock.advance(3000);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'RIGHT' });
  });

  test('are looked for where AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE say, and the profile that AWS_PROFILE names', async () => {
    const home = await makeHome({ credentials: pairOf('DEFAULT') });
    const file = join(home, 'elsewhere');
    writeFileSync(file, pairOf('NAMED', 'train'));
    const { credentials } = open(home, { AWS_PROFILE: 'train', AWS_SHARED_CREDENTIALS_FILE: file });
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'NAMED' });
    expect(credentials.describe().source).toBe(`profile "train" in ${file}`);
    const missing = open(home, { AWS_PROFILE: 'nobody' });
    const failure = await failureOf(missing.credentials.current());
    expect(failure).toMatchObject({
      code: 'ProfileNotFound',
      remedy: expect.stringContaining('AWS_PROFILE'),
    });
    expect(failure.message).toContain('profile "nobody"');
  });

  test('that only name a region leave it to roles', async () => {
    const home = await makeHome({ config: '[default]\nregion = eu-central-1\n' });
    const failure = await failureOf(open(home).credentials.current());
    expect(failure).toMatchObject({ code: 'NoCredentials' });
    expect(failure.message).toContain('AWS_WEB_IDENTITY_TOKEN_FILE');
  });

  test('are not looked for without a home directory', async () => {
    const failure = await failureOf(open(undefined).credentials.current());
    expect(failure.message).toContain('no home directory');
  });
});

describe('a credential_process', () => {
  async function withProcess(script: string) {
    const home = await makeHome();
    const program = join(home, 'give');
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    writeFileSync(
      join(home, '.aws', 'config'),
      `[default]\ncredential_process = ${program} --password ${secret}\n`,
    );
    return { home, program, ...open(home) };
  }
  const answer = (id: string, expiration: string) =>
    JSON.stringify({
      Version: 1,
      AccessKeyId: id,
      SecretAccessKey: secret,
      SessionToken: 't',
      Expiration: expiration,
    });

  test('is asked again shortly before what it gave expires', async () => {
    const { credentials, clock, home, program } = await withProcess(`echo '${answer('ONE', soon())}'`);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'ONE', sessionToken: 't' });
    expect(credentials.describe()).toMatchObject({
      source: `profile "default" in ${join(home, '.aws', 'config')} (process)`,
      expiresAt: expect.stringMatching(/^20\d\d-/),
    });
    writeFileSync(program, `#!/bin/sh\necho '${answer('TWO', '2099-01-01T00:00:00Z')}'\n`);
    await clock.advance(3_590_000);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'TWO' });
  });

  test.each([
    ['fails', `echo "no ${secret}" >&2; exit 3`, 'the process failed'],
    ['gives no JSON', `echo ${secret}`, 'invalid JSON'],
    ['gives expired ones', `echo '${answer('OLD', '2020-01-01T00:00:00Z')}'`, 'expired credentials'],
  ])('that %s is named without its command line and what it wrote', async (_, script, words) => {
    const { credentials } = await withProcess(script);
    const failure = await failureOf(credentials.current());
    expect(failure.message).toContain(words);
    expect(failure.message).toContain('(process)');
    expect(failure.remedy).toContain('credential_process');
  });
});

describe('a profile of SSO', () => {
  test('whose session expired says how to sign in again', async () => {
    const home = await makeHome({
      config:
        '[default]\nsso_account_id = 123456789012\nsso_role_name = train\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n',
    });
    const failure = await failureOf(open(home).credentials.current());
    expect(failure.message).toContain('(SSO)');
    expect(failure.message).toContain('SSO session');
    expect(failure.remedy).toContain('aws sso login --profile default');
  });
});

/** An STS of our own, and the keys that it gave out. */
async function fakeSts(answer: (request: ScriptedRequest) => ScriptedAnswer) {
  const sts = await scriptedS3(answer);
  vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.endpoint);
  return sts;
}

function assumed(action: string, id: string): ScriptedAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>tok</SessionToken><Expiration>${soon()}</Expiration></Credentials><AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn><AssumedRoleId>A:B</AssumedRoleId></AssumedRoleUser></${action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></${action}Response>`,
  };
}

function stsError(status: number, code: string): ScriptedAnswer {
  const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>${code}</Code><Message>told by a test</Message></Error><RequestId>1</RequestId></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body };
}

describe('a role that is assumed from a profile', () => {
  const config = `[default]\nrole_arn = arn:aws:iam::123456789012:role/train\nsource_profile = base\n`;

  test('is assumed with the keys of its source, and again when they change', async () => {
    const sts = await fakeSts(({ headers }) =>
      assumed('AssumeRole', headers.authorization?.includes('BASE2') ? 'ROLE2' : 'ROLE1'),
    );
    const home = await makeHome({ config, credentials: pairOf('BASE1', 'base') });
    const { credentials, clock } = open(home);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'ROLE1', sessionToken: 'tok' });
    expect(credentials.describe().source).toContain('(assumed role)');
    writeFileSync(join(home, '.aws', 'credentials'), pairOf('BASE2', 'base'));
    await looked(credentials, clock, 'ROLE2');
    expect(sts.requests).toHaveLength(2);
  });

  test('that may not be assumed blocks, and is named', async () => {
    await fakeSts(() => stsError(403, 'AccessDenied'));
    const home = await makeHome({ config, credentials: pairOf('BASE1', 'base') });
    const failure = await failureOf(open(home).credentials.current());
    expect(failure).toMatchObject({ code: 'AccessDenied', remedy: expect.stringContaining('role_arn') });
    expect(failure.message).toContain('(assumed role)');
  });
});

describe('a web identity', () => {
  async function withToken() {
    const home = await makeHome();
    const file = join(home, 'token');
    writeFileSync(file, 'eyJ-first');
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/pod' };
    return { file, ...open(home, env) };
  }

  test('is exchanged with the token that is there when it is needed', async () => {
    const sts = await fakeSts(({ body }) =>
      assumed('AssumeRoleWithWebIdentity', String(body).includes('second') ? 'POD2' : 'POD1'),
    );
    const { credentials, clock, file } = await withToken();
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'POD1' });
    expect(credentials.describe()).toMatchObject({ source: `web identity token ${file}` });
    writeFileSync(file, 'eyJ-second');
    await clock.advance(3_570_000);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'POD2' });
    expect(sts.requests).toHaveLength(2);
  });

  test('without its token file, or refused, is named', async () => {
    await fakeSts(() => stsError(400, 'ExpiredTokenException'));
    const { credentials, file } = await withToken();
    expect(await failureOf(credentials.current())).toMatchObject({ code: 'ExpiredTokenException' });
    rmSync(file);
    const failure = await failureOf(credentials.current());
    expect(failure).toMatchObject({ code: 'ENOENT' });
    expect(failure.message).toContain(`web identity token ${file}`);
    expect(failure.remedy).toContain('arn:aws:iam::123456789012:role/pod');
  });
});

describe('a container role', () => {
  const keys = (id: string) => ({
    status: 200,
    body: JSON.stringify({ AccessKeyId: id, SecretAccessKey: secret, Token: 't', Expiration: soon() }),
  });

  test('is asked for with the token of its file, each time anew', async () => {
    const home = await makeHome();
    const tokenFile = join(home, 'pod-token');
    writeFileSync(tokenFile, 'one');
    const server = await scriptedS3(({ headers }) => keys(`TASK-${headers.authorization}`));
    const env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.endpoint}/creds`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
    };
    const { credentials, clock } = open(home, env);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'TASK-one' });
    expect(credentials.describe()).toMatchObject({ source: 'container role', expiresAt: expect.any(String) });
    writeFileSync(tokenFile, 'two');
    await clock.advance(3_570_000);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'TASK-two' });
  });

  test.each([
    ['is refused', { status: 403 } as ScriptedAnswer, '403'],
    ['is broken', { status: 200, body: '<html>' } as ScriptedAnswer, 'container role'],
  ])('that %s is named', async (_, answer, words) => {
    const home = await makeHome();
    const server = await scriptedS3(() => answer);
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.endpoint}/creds` };
    const failure = await failureOf(open(home, env).credentials.current());
    expect(failure.message).toContain(words);
    expect(failure.remedy).toContain("pod's role");
  });

  test('is not asked for at an address outside the host', async () => {
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://192.0.2.1/creds' };
    const failure = await failureOf(open(await makeHome(), env).credentials.current());
    expect(failure.message).toContain('container role');
  });
});

describe('an instance role', () => {
  const on = { AWS_EC2_METADATA_DISABLED: 'false' };

  async function withMetadata(answer: (request: ScriptedRequest) => ScriptedAnswer) {
    const server = await scriptedS3(answer);
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', server.endpoint);
    return { server, ...open(await makeHome(), on) };
  }

  test('is asked for with a session token of the metadata service', async () => {
    let round = 1;
    const { credentials, clock, server } = await withMetadata(({ method, url, headers }) => {
      if (method === 'PUT') return { status: 200, body: 'v2-token' };
      if (headers['x-aws-ec2-metadata-token'] !== 'v2-token') return { status: 401 };
      if (url.endsWith('/security-credentials/')) return { status: 200, body: 'gpu-role' };
      const Expiration = new Date(systemClock.nowMs() + 3_600_000 * round).toISOString();
      const body = {
        Code: 'Success',
        AccessKeyId: `INST${round}`,
        SecretAccessKey: secret,
        Token: 't',
        Expiration,
      };
      return { status: 200, body: JSON.stringify(body) };
    });
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'INST1' });
    expect(credentials.describe()).toMatchObject({ source: 'instance role' });
    round = 2;
    await clock.advance(3_570_000);
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'INST2' });
    expect(server.requests[0]).toMatchObject({ method: 'PUT', url: '/latest/api/token' });
  });

  test('that this instance does not have, or whose service does not answer, is no credentials at all', async () => {
    const none = await withMetadata(() => ({ status: 404 }));
    expect((await failureOf(none.credentials.current())).message).toContain('this instance has none');
    const reset = await withMetadata(() => 'reset');
    expect((await failureOf(reset.credentials.current())).message).toContain('does not answer');
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', 'http://127.0.0.1:1');
    const failure = await failureOf(open(await makeHome(), on).credentials.current());
    expect(failure).toMatchObject({ code: 'NoCredentials' });
    expect(failure.message).toContain('ECONNREFUSED');
  });

  test('that is refused is named', async () => {
    const { credentials } = await withMetadata(({ method }) =>
      method === 'PUT' ? { status: 200, body: 'v2-token' } : { status: 403 },
    );
    const failure = await failureOf(credentials.current());
    expect(failure.message).toContain('instance role');
    expect(failure.remedy).toContain('two hops');
  });
});

describe("the guide's key pair", () => {
  test('goes before everything else, and is read again when its file changes', async () => {
    const home = await makeHome({ credentials: pairOf('PROFILE') });
    const file = join(home, '.env');
    let id = 'ONE';
    writeFileSync(file, id);
    const read = () =>
      id === ''
        ? `${file}: it no longer sets AWS_ACCESS_KEY_ID`
        : { accessKeyId: id, secretAccessKey: secret };
    const { credentials, clock, told } = open(home, {}, { file, read });
    onTestFinished(() => rmSync(file, { force: true }));
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'ONE' });
    expect(credentials.describe()).toEqual({ source: `.env file ${file}` });
    id = 'TWO';
    await looked(credentials, clock, 'ONE');
    writeFileSync(file, 'TWO TWO');
    await looked(credentials, clock, 'TWO');
    id = '';
    writeFileSync(file, '');
    await troubled(credentials, clock, 'it no longer sets');
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'TWO' });
    expect(told.at(-1)).toContain('it no longer sets AWS_ACCESS_KEY_ID');
    credentials.refused('TWO');
    expect(await failureOf(credentials.current())).toMatchObject({ code: 'KeyPairUnreadable' });
  });

  test('of the environment needs no file', async () => {
    const read = () => ({ accessKeyId: 'ENV', secretAccessKey: secret });
    const { credentials } = open(undefined, {}, { file: undefined, read });
    expect(await credentials.current()).toMatchObject({ accessKeyId: 'ENV' });
    expect(credentials.describe()).toEqual({ source: 'environment' });
  });
});
