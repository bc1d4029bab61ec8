import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import type { SessionLog } from '../../src/domain/session-log.ts';
import { errorAnswer } from '../faults/fault.ts';
import { startFaultProxy } from '../faults/fault-proxy.ts';
import { makePlace, runAgent, startAgent } from '../support/agent.ts';
import { patternBytes } from '../support/byte-source.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { bucketShelf, jsonLines, largeBytes, logOf, shipAll, writeSessions } from '../support/read-back.ts';
import { describeS3 } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';
import { isList, listAnswer, scriptedS3 } from '../support/scripted-s3.ts';
import { startSlowDownload } from '../support/slow-download.ts';
import { start } from '../support/trainlogd.ts';

const march = ['--month', '2026-03'];
const commands: [string, string[]][] = [
  ['list', []],
  ['show', ['run-7']],
  ['get', ['run-7']],
  ['verify', []],
];

describeS3('reading a bucket back', () => {
  test('a get that is killed goes on where it was; one whose connection breaks does not even end', async () => {
    const shelf = await bucketShelf();
    await writeSessions(shelf.place);
    await shipAll(shelf);
    const { log } = await logOf(shelf, 'curve');
    const { id } = log.session;
    const key = log.companions.find(({ path }) => path === 'large.npz')?.key ?? '';
    const slow = await startSlowDownload(shelf.env['AWS_ENDPOINT_URL_S3'] ?? '');
    const base = dirname(shelf.place.folder);
    const set = Object.entries({ ...shelf.place.env, ...shelf.env, AWS_ENDPOINT_URL_S3: slow.endpoint });
    const env = Object.fromEntries(
      set.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    const host = { base, folder: shelf.place.folder, state: shelf.place.state, env };
    const context = { onTestFinished, onTestFailed };
    const unfinished = join(base, id, '.trainlogd-get');
    const sizeOfPart = () =>
      existsSync(unfinished)
        ? Math.max(0, ...readdirSync(unfinished).map((name) => statSync(join(unfinished, name)).size))
        : 0;

    slow.holdAfterBytes = 6 * 1024 * 1024;
    const killed = start(context, host, ['get', id]);
    await eventually(() => sizeOfPart() >= 5 * 1024 * 1024);
    expect((await killed.stop('SIGKILL')).signal).toBe('SIGKILL');
    const arrived = sizeOfPart();
    slow.holdAfterBytes = Number.POSITIVE_INFINITY;
    const ended = await start(context, host, ['get', id]).ended;
    expect(ended.code, ended.stderr).toBe(0);
    const sent = slow.bodies.filter(({ path }) => path.endsWith(key));
    expect(sent.map(({ range }) => range)).toEqual([undefined, `bytes=${arrived}-`]);
    expect(sent[1]?.sentBytes).toBe(largeBytes - arrived);
    expect(readFileSync(join(base, id, 'large.npz')).equals(patternBytes(largeBytes))).toBe(true);
    expect(existsSync(unfinished)).toBe(false);

    const proxy = await startFaultProxy({ upstream: shelf.env['AWS_ENDPOINT_URL_S3'] ?? '', seed: 1 });
    onTestFinished(() => proxy.close());
    const through = { AWS_ENDPOINT_URL_S3: proxy.endpoint };
    const isLarge = { operation: 'GetObject', key: /large\.npz$/ } as const;
    const broken = proxy.add({
      name: 'breaks',
      on: { ...isLarge, times: 1 },
      fault: { do: 'truncate', keep: 0.5 },
    });
    const dir = join(base, 'through-a-fault');
    expect(await shelf.run(['get', id, dir], through)).toMatchObject({ exit: 0, stderr: '' });
    expect(broken.hits).toBe(1);
    expect(readFileSync(join(dir, 'large.npz')).equals(patternBytes(largeBytes))).toBe(true);

    const flipped = proxy.add({
      name: 'flips a bit',
      on: { operation: 'GetObject', key: /metrics/, times: 1 },
      fault: { do: 'corrupt', what: 'answer' },
    });
    const again = join(base, 'through-another');
    expect(await shelf.run(['get', id, again], through)).toMatchObject({ exit: 0, stderr: '' });
    expect(flipped.hits).toBe(1);
    const packed = 'metrics.csv.gz';
    expect(readFileSync(join(again, packed)).equals(readFileSync(join(dir, packed)))).toBe(true);

    const archived = {
      do: 'answer',
      answer: errorAnswer(403, 'InvalidObjectState'),
      applied: false,
    } as const;
    const rule = proxy.add({ name: 'archived', on: isLarge, fault: archived });
    const some = await shelf.run(['get', id, join(base, 'archived')], through);
    expect(some.exit).toBe(75);
    expect(some.stderr).toMatch(
      /^not here: "large\.npz": .*InvalidObjectState.*: restore it.*aws s3api restore-object .*large\.npz/m,
    );
    expect(readdirSync(join(base, 'archived'))).toContain('hparams.yaml');
    rule.lift();
    proxy.add({ name: 'logs archived', on: { operation: 'GetObject', key: /\.log$/ }, fault: archived });
    const lines = jsonLines((await shelf.run(['list', '--json', ...march], through)).stdout);
    expect(lines).toMatchObject([{ problem: 'archived' }, { problem: 'archived' }]);
    expect(await shelf.run(['show', id], through)).toMatchObject({
      exit: 75,
      stderr: expect.stringMatching(/is archived: restore it/),
    });
    expect(await shelf.run(['verify', ...march], through)).toMatchObject({
      exit: 0,
      stdout: expect.stringMatching(/nothing lost; 2 archived/),
    });
  });

  test.skipIf(serverLog === undefined)(
    'needs no more than the least policy, and no request is refused',
    async () => {
      const shelf = await bucketShelf();
      await writeSessions(shelf.place);
      await shipAll(shelf);
      const { log } = await logOf(shelf, 'curve');
      const { id } = log.session;
      const dir = join(dirname(shelf.place.folder), 'fetched');
      const requests = async () =>
        (await requestsTo(shelf.bucket)).filter(({ user }) => user === 's3uploader');
      const before = await requests();
      for (const args of [
        ['list'],
        ['list', '--month', '2026-03'],
        ['show', id],
        ['get', id, dir],
        ['verify'],
      ])
        expect(await shelf.run(args), args.join(' ')).toMatchObject({ exit: 0 });
      const made = (await requests()).slice(before.length);
      expect(made.filter(({ status, method }) => status >= 400 || method !== 'GET')).toEqual([]);
      // One for the id's own month, one for its log, and nothing of the rest of the bucket.
      const of = (part: string) => made.filter(({ target }) => target.includes(part)).length;
      expect(of('prefix=')).toBeLessThan(2 * 150 + 20);
    },
  );

  test.each(commands)('%s says that a wrong secret is refused: 77', async (command, args) => {
    const shelf = await bucketShelf();
    const ended = await shelf.run([command, ...args], { AWS_SECRET_ACCESS_KEY: 'wrong' });
    expect(ended).toMatchObject({
      exit: 77,
      stdout: '',
      stderr: expect.stringMatching(/AWS_SECRET_ACCESS_KEY/),
    });
  });
});

test.each(commands)('%s says that nobody answers: 69', async (command, args) => {
  const place = await makePlace();
  const env = {
    TRAINLOGD_DESTINATION_URL: undefined,
    S3_BUCKET_NAME: 'bucket',
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  const ended = await runAgent(place, [command, ...args], { env });
  expect(ended).toMatchObject({ exit: 69, stdout: '', stderr: expect.stringMatching(/ECONNREFUSED/) });
});

const interrupted = 'trainlogd: interrupted: run it again\n';
test.each([
  ['list', 'nobody reads it any more', 0, ''],
  ['verify', 'nobody reads it any more', 75, ''],
  ['list', 'SIGINT', 75, interrupted],
  ['verify', 'SIGINT', 75, interrupted],
] as const)('%s ends at once on: %s', async (command, why, exit, stderr) => {
  const month = new Date().toISOString().slice(0, 7).replace('-', '/');
  const { endpoint, requests } = await scriptedS3((request) =>
    isList(request) ? listAnswer(`training-logs/${month}/run-7.log`) : 'hang',
  );
  const place = await makePlace();
  const env = {
    TRAINLOGD_DESTINATION_URL: undefined,
    S3_BUCKET_NAME: 'bucket',
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: 'key',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  const run = startAgent(place, [command], { env });
  await eventually(() => requests.some((request) => !isList(request)));
  if (why === 'SIGINT') run.signal(why);
  else run.stdoutGone();
  expect(await run.ended).toEqual({ exit, stdout: '', stderr });
});

/** A log as somebody made it who may write to the bucket and means harm. */
function hostileLog(
  id: string,
  companions: readonly { path: string; key: string; bytes?: number }[],
): SessionLog {
  return {
    schemaVersion: 1,
    session: {
      ...{
        id,
        name: '\u001b[2Jname\u202e',
        status: 'completed',
        startedAt: '2026-03-01T00:00:00Z',
        revision: 1,
      },
      agent: { version: '\u001b]0;title\u0007', host: 'h\nost' },
    },
    user: { username: '\u009b31mred' },
    pod: { cost: 1e300, currency: '\u001b[31m'.repeat(20) },
    results: { durationSeconds: 1e308 },
    companions: companions.map(({ path, key, bytes = 4 }) => ({
      path,
      key,
      bytes,
      etag: 'e2fc714c4727ee9395f324cd2e7f331f',
      crc32: '7YLNEQ==',
    })),
    missing: [{ path: '\u001b[31mgone', reason: 'pending' }],
    excluded: { files: 0, bytes: 0 },
    native: {},
    provenance: {},
    warnings: ['\u001b[1A\u001b[2K'],
  };
}

test('what somebody else put in the bucket is named, never obeyed, and stops nothing', async () => {
  const place = await makePlace();
  const folder = 'training-logs/companions/2026/03/evil/';
  const put = async (key: string, text: string | Buffer) => {
    await mkdir(dirname(join(place.destination, key)), { recursive: true });
    await writeFile(join(place.destination, key), text);
  };
  const putLog = (id: string, text: string) => put(`training-logs/2026/03/${id}.log`, text);
  const paths = [
    '../../escaped',
    '/tmp/trainlogd-absolute',
    'a/../../escaped',
    'out/escaped',
    'final',
    'ok\u001b[2J',
    'fine',
  ];
  for (const path of ['fine', 'ok', 'out', 'final']) await put(folder + path, 'abcd');
  const keyOf = (path: string) => folder + (['fine', 'final'].includes(path) ? path : 'ok');
  const foreign = [
    { path: 'foreign', key: 'private/secret' },
    { path: 'empty', key: '' },
  ];
  await put('private/secret', 'abcd');
  const listed = [...paths.map((path) => ({ path, key: keyOf(path) })), ...foreign];
  await putLog('evil', JSON.stringify(hostileLog('evil', listed)));
  await putLog('other', JSON.stringify(hostileLog('evil', [])));
  await putLog('not-json', '{"schemaVersion":1,');
  await putLog('array', '[]');
  await putLog('binary', Buffer.from([0xff, 0xfe, 0x00, 0x80]).toString('latin1'));
  await putLog('huge', JSON.stringify({ ...hostileLog('huge', []), warnings: ['w'.repeat(10_000_000)] }));
  await putLog('good', JSON.stringify(hostileLog('good', [])));

  const list = await runAgent(place, ['list', '--month', '2026-03', '--json']);
  expect(list.exit, list.stderr).toBe(0);
  const outcome = ({ id, problem, status }: Record<string, unknown>) => [id, problem ?? status];
  expect(Object.fromEntries(jsonLines(list.stdout).map(outcome))).toEqual({
    ...{ array: 'unreadable', binary: 'unreadable', evil: 'completed', good: 'completed', huge: 'completed' },
    ...{ 'not-json': 'unreadable', other: 'unreadable' },
  });

  const dir = join(dirname(place.folder), 'fetched');
  const outside = join(dirname(place.folder), 'outside');
  await mkdir(dir);
  await mkdir(outside);
  await symlink(outside, join(dir, 'out'));
  await symlink(join(outside, 'final'), join(dir, 'final'));
  const got = await runAgent(place, ['get', 'evil', dir]);
  expect(got.exit).toBe(75);
  const named = got.stderr.split('\n').filter((line) => line.startsWith('not here: '));
  expect(named).toHaveLength(listed.length - 2);
  expect(readdirSync(outside)).toEqual([]);
  expect(existsSync('/tmp/trainlogd-absolute')).toBe(false);
  expect(readdirSync(dirname(place.folder)).toSorted()).toEqual([
    'destination',
    'fetched',
    'folder',
    'outside',
  ]);
  expect(readdirSync(dir).toSorted()).toEqual([
    '.trainlogd-get',
    'final',
    'fine',
    'ok%1B[2J',
    'out',
    'session-log.json',
  ]);

  const verified = await runAgent(place, ['verify', '--json']);
  expect(verified.exit).toBe(1);
  const verdicts = jsonLines(verified.stdout).filter(({ verdict }) => verdict !== undefined);
  expect(verdicts.filter(({ verdict }) => verdict === 'foreign').map(({ path }) => path)).toEqual([
    'foreign',
    'empty',
  ]);
  expect(verdicts.filter(({ verdict }) => verdict === 'unreadable')).toHaveLength(4);

  const said = await Promise.all(
    [
      ['list', '--month', '2026-03'],
      ['list'],
      ['show', 'evil'],
      ['show', 'evil', '--json'],
      ['get', 'evil', dir, '--json'],
      ['verify'],
      ['show', 'not-json'],
    ].map((args) => runAgent(place, args)),
  );
  const rows = said[1]?.stdout.split('\n').filter((line) => !line.includes('unreadable')) ?? [];
  expect(Math.max(...rows.map((row) => row.length))).toBeLessThanOrEqual(80);
  for (const { stdout, stderr } of [list, got, verified, ...said])
    expect(`${stdout}${stderr}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
});
