import { appendFile, mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { companionObjects, onlyLog, shippedLogs } from '../support/shipped-folder.ts';
import {
  type Cleanup,
  eventsIn,
  type Host,
  makeHost,
  run,
  statusOf,
  toDirectory,
  unsentLines,
} from '../support/trainlogd.ts';

describe.concurrent('drain and backfill', () => {
  test.for([
    { args: ['drain'], status: 'stalled' },
    { args: ['drain', '--final'], status: 'interrupted' },
  ])(
    '$args ships all that is there; without an end a session is $status',
    async ({ args, status }, context) => {
      const { host, destination } = await shipsToDirectory(context);
      await write(host, 'run-1/stdout.log', 'one');
      await write(host, 'run-1/_SUCCESS', '');
      await write(host, 'run-2/stdout.log', 'two');
      const { code, stderr } = await run(context, host, args);
      expect(code, stderr).toBe(0);
      const logs = await shippedLogs(destination);
      expect(logs.map(({ session }) => [session.name, session.status])).toEqual([
        ['run-1', 'completed'],
        ['run-2', status],
      ]);
      expect(logs.flatMap(({ missing }) => missing)).toEqual([]);
      expect((await statusOf(context, host)).backlog).toMatchObject({ shipped: 2, shipping: 0, unsent: [] });
    },
  );

  test('drain --timeout with nobody there gives up and names every file', async (context) => {
    const host = await makeHost(context, {
      S3_BUCKET_NAME: 'training-logs-test',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${await freePort()}`,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'test-key',
      AWS_SECRET_ACCESS_KEY: 'test-secret',
    });
    await write(host, 'run-1/stdout.log', 'one');
    await write(host, 'run-1/logs/metrics.csv', 'loss');
    await write(host, 'run-1/_SUCCESS', '');
    // How long the whole process takes depends on the machine. That it ends by itself does not: nobody ever answers it.
    const ended = await run(context, host, ['drain', '--timeout', '4s']);
    expect(ended.code, ended.stderr).toBe(75);
    const lines = unsentLines(ended).join('\n');
    for (const name of ['stdout.log', 'logs/metrics.csv', '_SUCCESS', '.log']) expect(lines).toContain(name);
    const [blocked] = eventsIn(ended.stderr, 'destination.blocked');
    expect(blocked?.cause).toContain('ECONNREFUSED');
    expect(ended.stderr).not.toContain('test-secret');
  });

  test('drain that had no time to look at the folder does not say that nothing is left', async (context) => {
    const { host } = await shipsToDirectory(context);
    await write(host, 'run-1/stdout.log', 'one');
    const ended = await run(context, host, ['drain', '--timeout', '1ms']);
    expect(ended.code, ended.stderr).toBe(75);
    expect(ended.stderr).toContain('the time was over before it had been looked at');
    expect((await run(context, host, ['drain'])).code).toBe(0);
  });

  test('a session that was too old at the first start is left alone until backfill', async (context) => {
    const { host, destination } = await shipsToDirectory(context, {
      TRAINLOGD_WATCH_IGNORE_OLDER_THAN: '1s',
    });
    await write(host, 'old/stdout.log', 'old');
    await write(host, 'old/result.json', '{"status":"completed"}');
    await eventually(async () => {
      const { ctimeMs } = await stat(join(host.folder, 'old/result.json'));
      return Date.now() - ctimeMs > 1_500;
    });
    await write(host, 'new/_SUCCESS', '');
    // However long the start takes, this one is not old.
    const later = new Date(Date.now() + 3_600_000);
    await utimes(join(host.folder, 'new/_SUCCESS'), later, later);
    const first = await run(context, host, ['run', '--exit-when-done']);
    expect(first.code, first.stderr).toBe(0);
    expect(eventsIn(first.stderr, 'session.skipped')).toMatchObject([{ count: 1 }]);
    expect((await shippedLogs(destination)).map(({ session }) => session.name)).toEqual(['new']);

    const { code, stderr } = await run(context, host, ['backfill']);
    expect(code, stderr).toBe(0);
    const logs = await shippedLogs(destination);
    expect(logs.map(({ session, missing }) => [session.name, session.status, missing])).toEqual([
      ['new', 'completed', []],
      ['old', 'completed', []],
    ]);
  });

  test('with its journal lost it reads the log in the bucket first: nothing goes twice, nothing is taken back', async (context) => {
    const { host, destination } = await shipsToDirectory(context);
    await write(host, 'run-1/session.json', '{"id":"train-1","user":{"username":"ada"}}');
    await write(host, 'run-1/stdout.log', 'one');
    await write(host, 'run-1/metrics.csv', 'loss');
    await write(host, 'run-1/result.json', '{"status":"completed","metrics":{"loss":1}}');
    expect((await run(context, host, ['drain'])).code).toBe(0);
    const before = await onlyLog(destination);
    const objects = await companionObjects(destination, before);
    expect([...objects.keys()].sort()).toEqual(['metrics.csv', 'stdout.log']);

    await rm(host.state, { recursive: true });
    expect((await run(context, host, ['drain'])).code).toBe(0);
    expect(await onlyLog(destination)).toEqual(before);

    await rm(host.state, { recursive: true });
    await rm(join(host.folder, 'run-1/metrics.csv'));
    await write(host, 'run-1/more.txt', 'more');
    await appendFile(join(host.folder, 'run-1/stdout.log'), ' and two');
    const { code, stderr } = await run(context, host, ['drain']);
    expect(code, stderr).toBe(0);
    const after = await onlyLog(destination);
    expect(after.session.revision).toBeGreaterThan(before.session.revision);
    expect(after).toMatchObject({ missing: [], user: before.user, results: before.results });
    const now = await companionObjects(destination, after);
    expect(now.get('metrics.csv')).toEqual(objects.get('metrics.csv'));
    expect(now.get('more.txt')?.text).toBe('more');
    expect(now.get('stdout.log')?.text).toBe('one and two');
  });
});

async function shipsToDirectory(context: Cleanup, more: Readonly<Record<string, string>> = {}) {
  const host = await makeHost(context, {}, { TRAINLOGD_WATCH_SETTLE: '50ms', ...more });
  const destination = join(host.base, 'shipped');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

async function write(host: Host, path: string, text: string): Promise<void> {
  const file = join(host.folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
