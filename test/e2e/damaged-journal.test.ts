import { linkSync, readdirSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { eventually } from '../support/eventually.ts';
import { holder, identityOf, newSession, workOf } from '../support/journal.ts';
import { describeS3, makeBucket, type TestBucket } from '../support/s3.ts';
import { companionObjects, onlyLog, shippedLogs } from '../support/shipped-folder.ts';
import {
  type Cleanup,
  type Host,
  makeHost,
  run,
  start,
  toBucket,
  toDirectory,
} from '../support/trainlogd.ts';

const quick = {
  TRAINLOGD_WATCH_SETTLE: '50ms',
  TRAINLOGD_WATCH_RESCAN: '500ms',
  TRAINLOGD_RETRY_BASE_DELAY: '50ms',
};
const garbage = Buffer.alloc(4096, 0xa5);

describeS3('a journal that was overwritten while nobody ran', () => {
  test.concurrent('is set aside; nothing is sent twice, and what was not sent arrives', async (context) => {
    const bucket = await makeBucket();
    context.onTestFinished(() => bucket.owner.destroy());
    const host = await makeHost(context, toBucket(bucket), quick);
    // Without an id of its own in session.json, no second look is needed whether the first write of its log won.
    for (const name of ['a', 'b']) await train(host, name, {});
    expect((await run(context, host, ['drain'])).code).toBe(0);
    const before = await versionsOf(bucket);
    await train(host, 'c', {});
    await overwrite(join(host.state, 'journal.sqlite'), 4096);
    const ended = await run(context, host, ['drain']);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/"event":"journal\.damaged"/);
    const after = await versionsOf(bucket);
    for (const [key, versions] of before) expect(after.get(key), key).toEqual(versions);
    expect([...after.keys()].filter((key) => !before.has(key)).sort()).toEqual([
      expect.stringMatching(/\/c-[^/]*\.log$/),
      expect.stringMatching(/\/companions\/.*\/c-[^/]*\/stdout\.log$/),
    ]);
    const aside = readdirSync(host.state).filter((name) => name.startsWith('journal.sqlite.damaged-'));
    expect(aside.length).toBeGreaterThan(0);
  });
});

describe.concurrent('a damaged journal', () => {
  test('is set aside by a daemon that meets the damage at work, which goes on with a new one', async (context) => {
    const { host, destination } = await makePlace(context);
    await fillJournal(host);
    await train(host, 'before');
    const daemon = start(context, host);
    await daemon.event('session.shipped', ({ session }) => session === 'before');
    const [log] = await shippedLogs(destination);
    const objects = log && (await companionObjects(destination, log));
    const file = join(host.state, 'journal.sqlite');
    const { size } = await stat(file);
    for (let page = 1; page < size / 4096; page++) await overwrite(file, page * 4096);
    // Its id is looked for among those that are not in memory.
    await train(host, 'elsewhere-2500-after');
    const damaged = await daemon.event('journal.damaged');
    expect(damaged.file).toMatch(/journal\.sqlite\.damaged-\d{8}T\d{9}Z$/);
    expect((await readFile(damaged.file)).length).toBeGreaterThan(0);
    await daemon.event('session.shipped', ({ session }) => session === 'elsewhere-2500-after');
    await eventually(async () => (await shippedLogs(destination)).length === 2);
    const ended = await daemon.stop();
    expect(ended.code, ended.stderr).toBe(0);
    const again = (await shippedLogs(destination)).find(({ session }) => session.id === 'before');
    expect(again?.session.revision).toBe(log?.session.revision);
    expect(again && (await companionObjects(destination, again))).toEqual(objects);
  });

  test('that is truncated or no journal at all is set aside; three are kept', async (context) => {
    const { host, destination } = await makePlace(context);
    await train(host, 'only');
    expect((await run(context, host, ['drain'])).code).toBe(0);
    const file = join(host.state, 'journal.sqlite');
    const whole = await readFile(file);
    for (const second of [1, 2, 3]) await writeFile(`${file}.damaged-20260101T00000${second}000Z`, '');
    for (const bytes of [whole.subarray(0, 5000), garbage]) {
      await writeFile(file, bytes);
      const { code, stderr } = await run(context, host, ['drain']);
      expect(code, stderr).toBe(0);
      expect(stderr).toContain('journal.damaged');
    }
    expect((await readdir(host.state)).filter((name) => /\.damaged-[0-9TZ]+$/.test(name)).length).toBe(3);
    expect((await onlyLog(destination)).missing).toEqual([]);
  });

  test('leaves a claim that is the last link to its bytes for a person, and lets go of the others', async (context) => {
    const { host } = await makePlace(context);
    await train(host, 'run');
    const claims = join(host.state, 'claims');
    await mkdir(claims, { recursive: true });
    linkSync(join(host.folder, 'run', 'stdout.log'), join(claims, '1-still-there'));
    await writeFile(join(claims, '1-deleted'), 'only here');
    await writeFile(join(host.state, 'journal.sqlite'), garbage);
    const daemon = start(context, host);
    const kept = await daemon.event('claims.kept');
    expect(kept).toMatchObject({ files: 1, level: 'warn' });
    expect(await readdir(kept.directory)).toEqual(['1-deleted']);
    expect(await readFile(join(kept.directory, '1-deleted'), 'utf8')).toBe('only here');
    await daemon.event('session.shipped');
    expect((await daemon.stop()).code).toBe(0);
    expect(await readdir(claims)).toEqual([]);
  });

  test('is told by status, which leaves it where it is', async (context) => {
    const { host } = await makePlace(context);
    await mkdir(host.state);
    await writeFile(join(host.state, 'journal.sqlite'), garbage);
    const { code, stderr } = await run(context, host, ['status']);
    expect(code).toBe(78);
    expect(stderr).toMatch(/it is damaged .*: the next run or drain sets the file aside/);
    expect(await readdir(host.state)).toEqual(['journal.sqlite']);
  });
});

async function makePlace(context: Cleanup): Promise<{ host: Host; destination: string }> {
  const host = await makeHost(context, {}, quick);
  const destination = join(host.base, 'shipped');
  return { host: { ...host, env: { ...host.env, ...toDirectory(destination) } }, destination };
}

async function train(host: Host, name: string, session: object = { id: name }): Promise<void> {
  const directory = join(host.folder, name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory);
  await writeFile(join(directory, 'session.json'), JSON.stringify(session));
  await writeFile(join(directory, 'stdout.log'), `of ${name}\n`);
  await writeFile(join(directory, 'result.json'), '{"status":"completed"}');
}

/** With so many sessions of another folder that SQLite does not keep all of it in memory. */
async function fillJournal(host: Host): Promise<void> {
  const journal = openJournal(host.state, holder);
  for (let at = 0; at < 4000; at++) {
    const id = `elsewhere-${at}-${'x'.repeat(60)}`;
    const { sid } = journal.begin({ ...newSession(id), folder: '/elsewhere' });
    journal.freeze(sid, identityOf(id));
    journal.enqueue(sid, workOf([]));
  }
  await journal.synced();
  journal.close();
}

async function overwrite(file: string, position: number): Promise<void> {
  const handle = await open(file, 'r+');
  await handle.write(garbage, 0, garbage.length, position);
  await handle.close();
}

async function versionsOf(bucket: TestBucket): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const { key, versionId } of await bucket.versions()) {
    // What the server honours was known to the lost journal: it is asked again.
    if (key.endsWith('/.trainlogd-probe')) continue;
    found.set(key, [...(found.get(key) ?? []), versionId]);
  }
  return found;
}
