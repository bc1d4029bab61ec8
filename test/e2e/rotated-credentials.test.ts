import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type AgentRun, makePlace, type Place, runAgent, startAgent } from '../support/agent.ts';
import { write } from '../support/hostile.ts';
import { trainlogdProgram } from '../support/program.ts';
import { describeS3, makeBucket, type TestBucket, type TestCredentials } from '../support/s3.ts';

const [program, ...main] = trainlogdProgram;
const wrong = { accessKeyId: 'AKIAWRONGKEY00000000', secretAccessKey: 'd3Jvbmctc2VjcmV0LWFjY2Vzcy1rZXk' };

interface Way {
  readonly name: string;
  readonly source: RegExp;
  readonly env: (place: Place) => Record<string, string>;
  readonly put: (place: Place, pair: TestCredentials) => void;
}

const ways: readonly Way[] = [
  {
    name: 'a .env file',
    source: /^\.env file .*\/\.env$/,
    env: () => ({}),
    put: ({ env }, pair) =>
      writeFileSync(
        join(env['HOME'] ?? '', '.env'),
        `AWS_ACCESS_KEY_ID=${pair.accessKeyId}\nAWS_SECRET_ACCESS_KEY="${pair.secretAccessKey}"\n`,
      ),
  },
  {
    name: 'a profile',
    source: /^profile "train" in .*\/credentials$/,
    env: () => ({ AWS_PROFILE: 'train' }),
    put: ({ env }, pair) => {
      const directory = join(env['HOME'] ?? '', '.aws');
      mkdirSync(directory, { recursive: true });
      const text = `[train]\naws_access_key_id=${pair.accessKeyId}\naws_secret_access_key=${pair.secretAccessKey}\n`;
      writeFileSync(join(directory, 'new'), text);
      renameSync(join(directory, 'new'), join(directory, 'credentials'));
    },
  },
];

function reach({ bucket, endpoint, region }: TestBucket) {
  const url = { TRAINLOGD_DESTINATION_URL: undefined, S3_BUCKET_NAME: bucket };
  return { ...url, AWS_ENDPOINT_URL_S3: endpoint, AWS_REGION: region };
}

async function endedSession(place: Place, name: string): Promise<void> {
  await write(place, `${name}/train.log`, `epochs of ${name}`);
  await write(place, `${name}/_SUCCESS`, '');
}

const shipped = (run: AgentRun, name: string) =>
  run.until('session.shipped', (line) => String(line['session']).startsWith(name));

describeS3('credentials that rotate under a running agent', () => {
  test.each(ways)('in $name are taken without a restart, and no attempt is spent', async (way) => {
    const bucket = await makeBucket();
    onTestFinished(() => bucket.owner.destroy());
    const place = await makePlace();
    way.put(place, wrong);
    await endedSession(place, 'first');
    const run = startAgent(place, ['run'], {
      env: { ...reach(bucket), ...way.env(place) },
      cwd: place.env['HOME'] ?? '',
    });

    const blocked = await run.until('destination.blocked');
    expect(blocked).toMatchObject({ code: 'InvalidAccessKeyId' });
    way.put(place, bucket.uploader);
    await run.until('destination.open');
    await shipped(run, 'first');
    expect((await run.until('credentials.changed'))['source']).toMatch(way.source);

    const status = await runAgent(place, ['status'], { env: { ...reach(bucket), ...way.env(place) } });
    const shown = /^ {2}credentials {2}(.*)$/m.exec(status.stdout)?.[1];
    expect(shown, status.stdout).toMatch(way.source);
    run.signal('SIGTERM');
    const ended = await run.ended;
    expect(ended.stderr).not.toContain(wrong.secretAccessKey);
    expect(run.told().filter(({ event }) => event === 'upload.retry' || event === 'file.parked')).toEqual([]);
    const companions = await bucket.versions('training-logs/companions/');
    expect(companions.filter(({ key }) => key.endsWith('/train.log'))).toHaveLength(1);
  });

  test('are not missed where a system user has no home directory', async (context) => {
    if (process.getuid?.() !== 0) context.skip('only root can run a program as another user');
    const homeless = { uid: 54_321, gid: 54_321, cwd: '/' };
    const sees = spawnSync(program, [...main, '--version'], { ...homeless, env: {} });
    if (sees.status !== 0) context.skip('the other user cannot read the program');
    const bucket = await makeBucket();
    onTestFinished(() => bucket.owner.destroy());
    const place = await makePlace();
    await endedSession(place, 'first');
    const base = place.env['HOME'] ?? '';
    const freshState = () => {
      rmSync(place.state, { recursive: true, force: true });
      mkdirSync(place.state);
      chownSync(place.state, homeless.uid, homeless.gid);
    };
    freshState();
    chmodSync(base, 0o755);
    const { HOME: _, TRAINLOGD_DESTINATION_URL: __, ...env } = place.env;
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = bucket.uploader;
    const drain = (timeout: string, more: Record<string, string> = {}) =>
      spawnSync(program, [...main, 'drain', '--timeout', timeout], {
        ...homeless,
        env: { ...env, ...reach(bucket), AWS_EC2_METADATA_DISABLED: 'true', ...more },
        encoding: 'utf8',
      });
    const without = drain('5s');
    expect(without.status, without.stderr).toBe(75);
    expect(without.stderr).toContain('NoCredentials');
    expect(without.stderr).toContain('no home directory');
    // What an earlier process may have sent would be waited for.
    freshState();
    const ended = drain('20s', { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
    expect(ended.status, ended.stderr).toBe(0);
  });
});
