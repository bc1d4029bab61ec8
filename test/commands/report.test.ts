import { readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/open-journal.ts';
import { reportFileOf } from '../../src/adapters/report-file.ts';
import { reportText } from '../../src/commands/report-text.ts';
import type { Report } from '../../src/ports/report.ts';
import type { Status } from '../../src/ports/status.ts';
import { reportOf } from '../../src/services/report-of.ts';
import { makePlace, type Place, runAgent, startAgent } from '../support/agent.ts';
import { eventually } from '../support/eventually.ts';
import { makeHealthy } from '../support/hostile.ts';
import { backlogWith, factsWith, limits, nowMs, statusWith } from '../support/report-facts.ts';
import { describeS3, makeBucket } from '../support/s3.ts';
import { requestsTo, serverLog } from '../support/s3-requests.ts';

const kept = ({ state }: Place) => JSON.parse(readFileSync(reportFileOf(state), 'utf8')) as Report;
const debug = { env: { TRAINLOGD_LOG_LEVEL: 'debug' } };
const well =
  /^TRAINLOGD OK - 0 files to send \(0 B\), 0 sessions open \| backlog_bytes=0B;;;0 backlog_files=0;;;0 backlog_stuck=0s;900;3600;0 parked_files=0;0;;0 sessions_open=0;;;0 folder_free=\d+B;;;0;\d+ state_free=\d+B;;;0;\d+\n$/;

test('a daemon that is well reports soon after its start, quietly; report and status --check ask it', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  const daemon = startAgent(place, ['run'], debug);
  await daemon.until('session.shipped');
  expect(await daemon.until('report.ok')).toMatchObject({ level: 'debug', verdict: 'ok', findings: [] });
  const json = await runAgent(place, ['report', '--json']);
  expect(json).toMatchObject({ exit: 0, stderr: '' });
  const made = JSON.parse(json.stdout) as Report;
  expect(made).toMatchObject({
    ...{ version: 1, host: hostname(), folder: place.folder, level: 'ok', findings: [] },
    sessions: { shipped: 1, open: 0 },
    backlog: { files: 0, bytes: 0 },
    watch: { state: 'present', by: 'events', missedByEvents: 0 },
    disks: [{ of: 'folder' }, { of: 'state' }],
  });
  expect(Date.parse(made.lastSuccessAt ?? '')).toBeGreaterThan(Date.now() - 60_000);
  expect(kept(place)).toEqual(made);
  const status = await runAgent(place, ['status', '--json']);
  expect((JSON.parse(status.stdout) as Status).report).toEqual(made);
  const text = await runAgent(place, ['report']);
  expect(text.exit).toBe(0);
  expect(text.stdout).toMatch(/^trainlogd on .*: all is well\n\n {2}folder {8}/);
  expect(await runAgent(place, ['status', '--check'])).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(well),
  });
  daemon.signal('SIGTERM');
  await daemon.ended;
  const silent = await runAgent(place, ['status', '--check']);
  expect(silent).toMatchObject({
    exit: 2,
    stdout: expect.stringMatching(
      /^TRAINLOGD CRITICAL - no trainlogd runs for .* \(agent\.absent\): start it.* \| backlog_bytes=0B/,
    ),
  });
  const alone = await runAgent(place, ['report', '--json']);
  expect(alone.exit).toBe(2);
  const { findings, lastSuccessAt, watch } = JSON.parse(alone.stdout) as Report;
  expect(findings.map(({ code }) => code)).toEqual(['agent.absent']);
  expect({ lastSuccessAt, by: watch.by }).toEqual({ lastSuccessAt: made.lastSuccessAt, by: 'none' });
  expect(kept(place).at).not.toBe((JSON.parse(alone.stdout) as Report).at);
});

test('what is wrong is told once, at its level, by all who tell, and that it is well again', async () => {
  const place = await makePlace();
  await writeFile(place.destination, 'a file where a directory should be');
  await makeHealthy(place);
  const daemon = startAgent(place, ['run'], debug);
  const told = await daemon.until('report.critical');
  expect(told.level).toBe('error');
  expect(told.message).toMatch(
    /^report: the destination directory .* cannot be written to \(destination\.directory\): let the user/,
  );
  const check = await runAgent(place, ['status', '--check']);
  expect(check).toMatchObject({
    exit: 2,
    stdout: expect.stringMatching(
      /^TRAINLOGD CRITICAL - the destination directory .*destination\.directory.* \| backlog_bytes=\d+B/,
    ),
  });
  const report = await runAgent(place, ['report']);
  expect(report.exit).toBe(2);
  expect(report.stdout).toMatch(/: 1 thing to do now\n\n {2}CRITICAL {2}the destination directory/);
  await eventually(async () => {
    await runAgent(place, ['report']);
    return daemon.told().some(({ event }) => event === 'report.unchanged');
  });
  expect(daemon.told().filter(({ event }) => event === 'report.critical')).toHaveLength(1);
  await rm(place.destination);
  await daemon.until('session.shipped');
  expect((await runAgent(place, ['report'])).exit).toBe(0);
  expect(await daemon.until('report.recovered')).toMatchObject({
    level: 'info',
    message: 'report: all is well again',
  });
  daemon.signal('SIGTERM');
  await daemon.ended;
});

test('who cannot be told of is unknown or held, with the reason: configuration, an agent that does not answer', async () => {
  const place = await makePlace();
  const wrong = await runAgent(place, ['status', '--check'], { env: { TRAINLOGD_WATCH_IDLE: 'soon' } });
  expect(wrong).toMatchObject({ exit: 3, stderr: '' });
  expect(wrong.stdout).toMatch(
    /^TRAINLOGD UNKNOWN - the configuration is not usable: .*TRAINLOGD_WATCH_IDLE.*\n$/,
  );
  const startedAt = new Date().toISOString();
  const journal = openJournal(place.state, {
    pid: process.pid,
    host: hostname(),
    folder: place.folder,
    startedAt,
  });
  const ask = (...args: string[]) => runAgent(place, args);
  const answers = await Promise.all([ask('status', '--check'), ask('report')]);
  const refusals = await Promise.all([ask('status'), ask('retry', '--all')]);
  journal.close();
  for (const { exit, stdout, stderr } of refusals) {
    expect({ exit, stdout }).toEqual({ exit: 78, stdout: '' });
    expect(stderr).toMatch(/holds it, and does not answer: see in its log what it does .*, or restart it/);
  }
  expect(answers[0]?.stdout).toMatch(
    /^TRAINLOGD CRITICAL - the agent that holds ".*" does not answer \(state\.held\): see in its log/,
  );
  expect(answers[1]?.stdout.replace(/\s+/g, ' ')).toMatch(
    /: 1 thing to do now .*found: .*process \d+ on .* holds it/,
  );
  await writeFile(join(place.state, 'journal.sqlite'), 'no database, but long enough to be taken for one');
  const damaged = await runAgent(place, ['report']);
  expect([...answers, damaged].map(({ exit }) => exit)).toEqual([2, 2, 2]);
  expect(damaged.stdout.replace(/\s+/g, ' ')).toMatch(
    /the journal in ".*" cannot be read \(state\.journal\) found: .* to do: /,
  );
});

test('a report for people has what is wrong on top, no escape of a name, and 80 columns', () => {
  const name = '\u001b[31mx\u001b[0m\n'.repeat(3) + 'y'.repeat(20);
  const parked = [
    { session: name, path: name, reason: 'unreadable' as const, code: 'EIO', cause: name, remedy: name },
  ];
  const status = statusWith({
    backlog: backlogWith({
      parked,
      pendingFiles: 1,
      pendingBytes: 10,
      oldestPendingFoundAtMs: nowMs - 7_200_000,
    }),
    folderState: 'missing',
    credentials: { source: name, expiresAt: new Date(nowMs + 60_000).toISOString() },
    clockBehindMs: -90_000,
    parts: { open: 1, openBytes: 2048, abandoned: 0, abandonedBytes: 0 },
  });
  const disks = [{ of: 'folder', freeBytes: 2 ** 40, totalBytes: 2 ** 41, freeInodes: 1 }] as const;
  const access = { valid: true, identity: `arn:aws:sts::1:assumed-role/${name}` };
  const facts = factsWith({
    status,
    access,
    disks,
    pace: { bytesPerSecond: 1, drainBytesPerSecond: 1 },
    lastSuccessAtMs: nowMs - 5_000,
  });
  const text = reportText(reportOf(facts, limits), nowMs);
  expect(text).toMatch(
    /^trainlogd on node-1, 2026-01-31 12:00:00 UTC: 1 thing to do now, 1 warning\n\n {2}CRITICAL {2}the folder/,
  );
  expect(text).toContain('to send       1 file, 10 B, known for 2 h, 1 B/s, done in 10 s');
  expect(text).toContain("clock         90 s ahead of the server's");
  expect(text).not.toContain('\u001b');
  // Names have no spaces to break them at.
  const long = text.split('\n').filter((line) => line.length > 80 && !line.includes('u001b'));
  expect(long).toEqual([]);
});

describeS3('of a bucket under the least policy', () => {
  test('a report asks for one list of one key, and nothing is denied', async (context) => {
    if (serverLog === undefined) context.skip('the S3 server is not one of ours');
    const bucket = await makeBucket();
    const place = await makePlace();
    const { uploader } = bucket;
    const env = {
      TRAINLOGD_DESTINATION_URL: undefined,
      S3_BUCKET_NAME: bucket.bucket,
      AWS_ENDPOINT_URL_S3: bucket.endpoint,
      AWS_REGION: bucket.region,
      AWS_ACCESS_KEY_ID: uploader.accessKeyId,
      AWS_SECRET_ACCESS_KEY: uploader.secretAccessKey,
    };
    const daemon = startAgent(place, ['run'], { env });
    await eventually(() => kept(place).credentials?.valid);
    const { exit, stdout } = await runAgent(place, ['report', '--json'], { env });
    expect([exit, JSON.parse(stdout)]).toMatchObject([
      0,
      { level: 'ok', credentials: { source: 'environment', valid: true } },
    ]);
    daemon.signal('SIGTERM');
    await daemon.ended;
    const asked = (await requestsTo(bucket)).filter(({ user }) => user.includes('uploader'));
    // One for each report; who asked while the first was kept got that one.
    expect(asked.length === 1 || asked.length === 2, JSON.stringify(asked)).toBe(true);
    expect(new Set(asked.map(({ method, status }) => `${method} ${status}`))).toEqual(new Set(['GET 200']));
    for (const { target } of asked) expect(target).toMatch(/list-type=2.*max-keys=1&prefix=training-logs%2F/);
  });
});
