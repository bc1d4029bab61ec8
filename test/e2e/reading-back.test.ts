import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { askStatus } from '../../src/adapters/ask-agent.ts';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import {
  bucketShelf,
  directoryShelf,
  forgetJournal,
  jsonLines,
  largeBytes,
  logOf,
  type Shelf,
  shipAll,
  writeSessions,
} from '../support/read-back.ts';
import { describeS3 } from '../support/s3.ts';

const columnsMax = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

function readsBack(open: () => Promise<Shelf>): void {
  test('sessions that were shipped are listed, shown, fetched as they were, and verified', async () => {
    const shelf = await open();
    await writeSessions(shelf.place);
    await shipAll(shelf);
    const { key, log } = await logOf(shelf, 'curve');
    const { id } = log.session;

    const lines = jsonLines((await shelf.run(['list', '--json', '--month', '2026-03'])).stdout);
    expect(lines).toHaveLength(2);
    expect(lines.find((line) => line['id'] === id)).toMatchObject({
      ...{ key, status: 'completed', durationSeconds: 5400, framework: 'pytorch-lightning', user: 'ada' },
      ...{ cost: 36, currency: 'USD', missing: 0 },
    });
    const table = await shelf.run(['list']);
    expect(table.stdout.split('\n')).toHaveLength(6);
    expect(table.stdout).toMatch(
      /^ {2}2026-03-04 05:06 {2}completed +1h30m +12\.\d MiB +36\.00 USD {2}pytorch-lightn\S*$/m,
    );
    expect(columnsMax(table.stdout)).toBeLessThanOrEqual(80);
    expect(await shelf.run(['list', '--month', '2026-02'])).toMatchObject({ exit: 0, stdout: '' });

    const shown = await shelf.run(['show', id]);
    expect(shown.exit, shown.stderr).toBe(0);
    for (const part of [
      'completed',
      'ada',
      '8 × H100, 24.00 USD per hour',
      'train_loss: 300 values',
      '1.937 |*',
      'large.npz',
    ])
      expect(shown.stdout).toContain(part);
    expect(columnsMax(shown.stdout)).toBeLessThanOrEqual(80);
    expect((await shelf.run(['show', id, '--json'])).stdout).toBe((await shelf.bytes(key)).toString());
    expect(await shelf.run(['show', 'nobody'])).toMatchObject({
      exit: 75,
      stdout: '',
      stderr: expect.stringMatching(/check the id/),
    });

    const dir = join(shelf.place.state, '..', 'fetched');
    const fetched = await shelf.run(['get', id, dir]);
    expect(fetched.exit, fetched.stderr).toBe(0);
    for (const { path } of log.companions) {
      const wanted = readFileSync(join(shelf.place.folder, 'curve', path));
      const isPacked = path === 'metrics.csv';
      const there = readFileSync(join(dir, isPacked ? `${path}.gz` : path));
      expect((isPacked ? gunzipSync(there) : there).equals(wanted), path).toBe(true);
    }
    expect(readFileSync(join(dir, 'session-log.json')).equals(await shelf.bytes(key))).toBe(true);
    const again = JSON.parse((await shelf.run(['get', id, dir, '--json'])).stdout);
    expect(new Set(again.files.map(({ outcome }: { outcome: string }) => outcome))).toEqual(
      new Set(['there']),
    );
    writeFileSync(join(dir, 'large.npz'), 'mine');
    const kept = await shelf.run(['get', id, dir]);
    expect(kept).toMatchObject({
      exit: 75,
      stderr: expect.stringMatching(/^not here: "large\.npz": .*move it away/),
    });
    expect(readFileSync(join(dir, 'large.npz'), 'utf8')).toBe('mine');

    expect(await shelf.run(['verify'])).toMatchObject({
      ...{ exit: 0, stderr: '' },
      stdout: expect.stringMatching(
        /^2026-03: 2 sessions, \d+ objects, 12\.\d MiB: nothing lost\nevery object is there, unchanged\n$/,
      ),
    });
  });

  test('verify names what was removed, replaced or damaged, by the journal and by the logs alone', async () => {
    const shelf = await open();
    await writeSessions(shelf.place);
    await shipAll(shelf);
    const { log } = await logOf(shelf, 'curve');
    const quiet = await logOf(shelf, 'quiet');
    const keyOf = (path: string) => log.companions.find((entry) => entry.path === path)?.key ?? path;
    const large = await shelf.bytes(keyOf('large.npz'));
    expect(large.length).toBe(largeBytes);
    large[1000] = (large[1000] ?? 0) ^ 1;
    await shelf.put(keyOf('large.npz'), large);
    await shelf.put(keyOf('deep/er/note.txt'), 'nOte!');
    await shelf.remove(keyOf('hparams.yaml'));
    await shelf.remove(quiet.key);
    const verdictsOf = async (more = {}) => {
      const ended = await shelf.run(['verify', '--json', '--month', '2026-03'], more);
      const verdicts = jsonLines(ended.stdout).filter((line) => line['verdict'] !== undefined);
      const told = verdicts.map(({ session, path, verdict }) => [session, path, verdict]);
      return { exit: ended.exit, stderr: ended.stderr, told: new Set(told.map((one) => one.join(' '))) };
    };
    const { id } = log.session;
    const damage = [`${id} large.npz changed`, `${id} deep/er/note.txt changed`, `${id} hparams.yaml gone`];
    const all = new Set([...damage, `${quiet.log.session.id}  gone`]);
    expect(await verdictsOf()).toEqual({ exit: 1, stderr: '', told: all });
    const text = await shelf.run(['verify', '--month', '2026-03']);
    expect(text.exit).toBe(1);
    expect(text.stdout).toMatch(
      /^gone: \S+: "hparams\.yaml": training-logs\/companions\/\S+: not there; the log lists/m,
    );
    expect(text.stdout).toMatch(/^4 objects lost or changed: /m);

    const old = await verdictsOf({ TRAINLOGD_BUCKET_EXPIRE_AFTER: '30d' });
    expect(old.told).toContain(`${id} hparams.yaml expired`);
    forgetJournal(shelf);
    const alone = await verdictsOf();
    expect(alone).toMatchObject({ exit: 1, told: new Set(damage) });
    expect(alone.stderr).toContain('only what the logs in the bucket list was looked for');

    const dir = join(shelf.place.state, '..', 'fetched');
    const fetched = await shelf.run(['get', id, dir]);
    expect(fetched.exit).toBe(75);
    const named = fetched.stderr.split('\n').filter((line) => line.startsWith('not here: '));
    expect(named.filter((line) => line.includes('another object is there than'))).toHaveLength(2);
    expect(named.map((line) => /"([^"]+)"/.exec(line)?.[1]).toSorted()).toEqual([
      'deep/er/note.txt',
      'hparams.yaml',
      'large.npz',
    ]);
  });
}

readsBack(directoryShelf);
describeS3('from a bucket', () => readsBack(bucketShelf));

test('verify asks a running agent for what it recorded, and says when somebody holds the journal and is silent', async () => {
  const shelf = await directoryShelf();
  const { place, env } = shelf;
  await writeSessions(place);
  await shipAll(shelf);
  const agent = startAgent(place, ['run'], { env });
  await eventually(() => askStatus(place.state));
  await shelf.remove((await logOf(shelf, 'quiet')).key);
  const beside = await shelf.run(['verify', '--month', '2026-03']);
  expect(beside).toMatchObject({
    exit: 1,
    stderr: '',
    stdout: expect.stringMatching(/^gone: quiet\S+: its log: .*journal recorded/m),
  });
  agent.signal('SIGTERM');
  await agent.ended;
  const holder = { pid: 1, host: 'h', folder: place.folder, startedAt: '2026-01-01T00:00:00Z' };
  const journal = openJournal(place.state, holder);
  try {
    const { exit, stderr } = await shelf.run(['verify', '--month', '2026-03']);
    expect(exit).toBe(0);
    expect(stderr).toMatch(/is held by a program that does not answer/);
  } finally {
    journal.close();
  }
});

test('a template of its own is read back as it was written', async () => {
  const shelf = await directoryShelf();
  const env = { TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'training-logs/{session-id}/log-{year}.json' };
  await writeSessions(shelf.place);
  expect(await shelf.run(['drain', '--timeout', '60s'], env)).toMatchObject({ exit: 0 });
  const lines = jsonLines((await shelf.run(['list', '--json', '--month', '2026-03'], env)).stdout);
  expect(lines.map(({ status }) => status)).toEqual(['completed', 'stalled']);
  expect((await shelf.run(['list', '--month', '2026-04'], env)).stdout).toBe('');
  expect(await shelf.run(['show', String(lines[0]?.['id'])], env)).toMatchObject({ exit: 0 });
  expect(await shelf.run(['verify', '--month', '2026-03'], env)).toMatchObject({
    exit: 0,
    stdout: expect.stringContaining('2 sessions'),
  });
  rmSync(shelf.place.state, { recursive: true });
  expect(await shelf.run(['verify', '--month', '2026-04'], env)).toMatchObject({
    exit: 0,
    stdout: 'no sessions\n',
  });
});

test('what was shipped under an older template is verified too, as the journal recorded it', async () => {
  const shelf = await directoryShelf();
  await writeSessions(shelf.place);
  await shipAll(shelf);
  const quiet = (await logOf(shelf, 'quiet')).key;
  const since = { TRAINLOGD_DESTINATION_KEY_TEMPLATE: 'training-logs/{year}-{month}/{session-id}.log' };
  const whole = await shelf.run(['verify'], since);
  expect(whole).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^other keys: 2 sessions/m) });
  expect(await shelf.run(['verify', '--month', '2026-04'], since)).toMatchObject({ stdout: 'no sessions\n' });
  await shelf.remove(quiet);
  const lost = await shelf.run(['verify', '--month', '2026-03'], since);
  expect(lost).toMatchObject({ exit: 1, stdout: expect.stringMatching(/^gone: quiet\S+: its log: /m) });
});
