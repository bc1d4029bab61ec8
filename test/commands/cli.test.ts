import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { humanDuration } from '../../src/commands/human.ts';
import { makePlace, objectKeys, runAgent } from '../support/agent.ts';
import { makeHealthy, write } from '../support/hostile.ts';

const root = join(import.meta.dirname, '../..');
const packageVersion = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string })
  .version;

test('--help names every command, the exit codes and an example, and exits 0', async () => {
  const { exit, stdout, stderr } = await runAgent(await makePlace(), ['--help']);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  for (const command of ['run', 'drain', 'plan', 'backfill', 'exec', 'status', 'config', 'schema'])
    expect(stdout).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
  expect(stdout).toMatch(/Exit codes: 0 .*75 .*64 .*78 .*70/);
  expect(stdout).toMatch(/^ {2}trainlogd run \.\/outputs /m);
});

test.each(['run', 'drain', 'plan', 'backfill', 'exec', 'status'])(
  '%s --help says what it does and exits 0',
  async (name) => {
    const { exit, stdout, stderr } = await runAgent(await makePlace(), [name, '--help']);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^Usage: trainlogd ${name} `));
  },
);

test('--version prints the version alone', async () => {
  const ended = await runAgent(await makePlace(), ['--version']);
  expect(ended).toEqual({ exit: 0, stdout: `${packageVersion}\n`, stderr: '' });
});

test.each([
  [['frobnicate'], /unknown command 'frobnicate'/],
  [['rnu'], /unknown command 'rnu'[\s\S]*Did you mean run\?/],
  [['run', '--fast'], /unknown option '--fast'/],
  [['config', 'chekc'], /unknown command 'chekc'/],
  [
    ['drain', '--timeout', 'soon'],
    /'--timeout <duration>' argument 'soon' is invalid\. A duration has a unit/,
  ],
  [['get', 'run-7', ''], /argument 'dir'\. A directory has a name/],
  [['drain', '--timeout'], /'--timeout <duration>' argument missing/],
  [['run', 'one', 'two'], /too many arguments/],
  [['exec'], /missing required argument 'cmd'[\s\S]*trainlogd exec -- python train\.py/],
  [['exec', 'python', '--lr', '1'], /unknown option '--lr'[\s\S]*trainlogd exec -- python train\.py/],
  [['exec', '--id', 'a/b', '--', 'true'], /'--id <id>' argument 'a\/b' is invalid\. An id has letters/],
] as const)('%j is a wrong use: exit 64, said why, with a way on', async (args, why) => {
  const { exit, stdout, stderr } = await runAgent(await makePlace(), args);
  expect({ exit, stdout }).toEqual({ exit: 64, stdout: '' });
  expect(stderr).toMatch(why);
  expect(stderr).toMatch(/trainlogd --help says more/);
});

test('no command at all shows the help and is a wrong use', async () => {
  const { exit, stdout, stderr } = await runAgent(await makePlace(), []);
  expect(exit).toBe(64);
  expect(stdout + stderr).toMatch(/Usage: trainlogd/);
});

test.each(['run', 'drain', 'plan', 'backfill', 'status'])(
  '%s without a bucket exits 78, naming the variable and the nearest one that is set',
  async (command) => {
    const place = await makePlace();
    const env = { TRAINLOGD_DESTINATION_URL: undefined, S3_BUCKETNAME: 'my-logs' };
    const { exit, stdout, stderr } = await runAgent(place, [command], { env });
    expect({ exit, stdout }).toEqual({ exit: 78, stdout: '' });
    expect(stderr).toMatch(/no bucket is named: set S3_BUCKET_NAME=/);
    expect(stderr).toMatch(/S3_BUCKETNAME/);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect(existsSync(place.state)).toBe(false);
  },
);

test('config check says ok, or all problems at once with exit 78', async () => {
  const place = await makePlace();
  expect(await runAgent(place, ['config', 'check'])).toEqual({ exit: 0, stdout: 'ok\n', stderr: '' });
  const env = { TRAINLOGD_WATCH_IDLE: 'long', TRAINLOGD_UPLOAD_CONCURRENCY: '-1' };
  const wrong = await runAgent(place, ['config', 'check'], { env });
  expect(wrong.exit).toBe(78);
  expect(wrong.stdout).toMatch(/2 problems[\s\S]*watch\.idle[\s\S]*upload\.concurrency/);
  const json = await runAgent(place, ['--json', 'config', 'check'], { env });
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{}, {}] });
});

test('config print shows what is in force and where it came from, and no secret', async () => {
  const place = await makePlace();
  const env = { AWS_SECRET_ACCESS_KEY: 'c2VjcmV0', AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE' };
  const { exit, stdout } = await runAgent(place, ['config', 'print'], { env });
  expect(exit).toBe(0);
  expect(stdout).toMatch(/settle: 30ms.*TRAINLOGD_WATCH_SETTLE/);
  expect(stdout).not.toMatch(/c2VjcmV0/);
  const json = await runAgent(place, ['config', 'print', '--json'], { env });
  expect(() => JSON.parse(json.stdout)).not.toThrow();
});

test('schema prints config/session-log.schema.json, to the byte', async () => {
  const { exit, stdout } = await runAgent(await makePlace(), ['schema']);
  expect(exit).toBe(0);
  expect(stdout).toBe(readFileSync(join(root, 'config/session-log.schema.json'), 'utf8'));
});

test('plan names sessions, keys, companions and what is left out, and leaves no trace', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  await write(place, 'healthy/checkpoint-1/model.safetensors', 'weights');
  await write(place, 'loose.bin', 'loose');
  const before = readdirSync(place.folder, { recursive: true });
  const { exit, stdout, stderr } = await runAgent(place, ['plan', '--json']);
  expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
  const [companions, months] = ['training-logs/companions/2026/01/healthy', 'training-logs/2026/01'];
  expect(JSON.parse(stdout)).toMatchObject({
    folder: place.folder,
    bytes: 32,
    loose: ['loose.bin'],
    sessions: [
      {
        id: 'healthy',
        path: 'healthy',
        key: `${months}/healthy.log`,
        startedAt: '2026-01-31T12:00:00.000Z',
        companions: [
          { path: 'metrics/loss.csv', key: `${companions}/metrics/loss.csv`, bytes: 16 },
          { path: 'train.log', key: `${companions}/train.log`, bytes: 16 },
        ],
        excluded: { files: 1, bytes: 7 },
        missing: [],
        warnings: [],
      },
    ],
  });
  const text = await runAgent(place, ['plan']);
  expect(text.stdout).toMatch(/^"healthy" \(native\)\n {2}training-logs\/2026\/01\/healthy\.log\n/);
  expect(text.stdout).toMatch(
    /left out: 1 file, 7 B\n[\s\S]*in no session, not shipped:\n {2}"loose\.bin"\n/,
  );
  expect(readdirSync(place.folder, { recursive: true })).toEqual(before);
  expect(existsSync(place.state)).toBe(false);
  expect(existsSync(place.destination)).toBe(false);
});

test('plan of a folder that is not there says so', async () => {
  const place = await makePlace();
  const { exit, stderr } = await runAgent(place, ['plan', join(place.folder, 'nowhere')]);
  expect(exit).toBe(0);
  expect(stderr).toMatch(/^warning: the folder ".*nowhere" is not there: create it, mount it, or correct /);
});

test('status without a daemon reads what the last one left, and before the first one says that nothing runs', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  const none = await runAgent(place, ['status', '--json']);
  expect(none.exit).toBe(0);
  expect(JSON.parse(none.stdout)).toMatchObject({
    version: 1,
    running: false,
    backlog: { shipped: 0, parked: [] },
  });
  expect(existsSync(place.state)).toBe(false);
  expect((await runAgent(place, ['drain'])).exit).toBe(0);
  const after = await runAgent(place, ['status', '--json']);
  expect(JSON.parse(after.stdout)).toMatchObject({
    running: false,
    folder: place.folder,
    destination: `file://${place.destination}`,
    backlog: { open: 0, shipping: 0, shipped: 1, pendingFiles: 0, unsent: [], parked: [] },
  });
  const text = await runAgent(place, ['status']);
  expect(text.stdout).toMatch(/^no trainlogd runs for /);
  expect(text.stdout).toMatch(/1 shipped, 0 being shipped, 0 open/);
});

test('a run that is told to end when done ships what is there and exits 0', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  const { exit, stderr } = await runAgent(place, ['run', '--exit-when-done=300ms']);
  expect(exit, stderr).toBe(0);
  expect(objectKeys(place)).toHaveLength(3);
});

test('a configuration file and its flag are read, and a file that is not there is named', async () => {
  const place = await makePlace();
  const file = join(place.folder, '..', 'config.yaml');
  mkdirSync(join(place.folder, '..', 'other'));
  writeFileSync(file, 'watch: { directory: ../other }\n');
  const env = { TRAINLOGD_WATCH_DIRECTORY: undefined };
  expect((await runAgent(place, ['--config', file, 'config', 'print'], { env })).stdout).toMatch(/other/);
  const missing = await runAgent(place, ['--config', `${file}.not`, 'config', 'check'], { env });
  expect(missing.exit).toBe(78);
  expect(missing.stdout + missing.stderr).toMatch(/config\.yaml\.not/);
});

test('npm run trainlogd hands on --env-file: Node, which has one of its own, does not end for a file that is not there', () => {
  const args = ['run', '-s', 'trainlogd', '--', '--env-file', '/nonexistent/prod.env', 'config', 'check'];
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 78, stderr: expect.not.stringContaining('not found') });
  expect(stdout).toContain('--env-file = "/nonexistent/prod.env": there is no such file');
});

test.each([
  [59, '59s'],
  [3 * 86_400 + 4 * 3600, '3d04h'],
  [269 * 86_400 + 10 * 3600, '269d'],
])('%i s take at most six columns of a list', (seconds, text) => expect(humanDuration(seconds)).toBe(text));
