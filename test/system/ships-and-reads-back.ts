import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { makeBucket } from '../support/s3-bucket.ts';
import { seededBytes } from '../support/seeded-bytes.ts';
import { type Cleanup, makeHost, run, toBucket, type Variables } from '../support/trainlogd.ts';

/** Of three parts, the last not a whole one. */
const largeBytes = 20_000_000;

/**
 * What a program has to do wherever it is installed: say its version, look at itself, ship a folder and a command, and read
 * back what arrived; with nothing on standard error but its own lines.
 */
export async function shipsAndReadsBack(
  context: Cleanup,
  command: readonly [string, ...string[]],
  more: Variables = {},
): Promise<void> {
  const bucket = await makeBucket();
  const host = { ...(await makeHost(context, toBucket(bucket), more)), command };
  const does = async (...args: string[]) => {
    const ended = await run(context, host, args);
    expect(ended.code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`).toBe(0);
    expect(ended.stderr.split('\n').filter((line) => !/^(\{.*\}|trainlogd: .*|)$/.test(line))).toEqual([]);
    return ended.stdout;
  };
  const large = seededBytes('run-1', largeBytes);
  await mkdir(join(host.folder, 'run-1'));
  await writeFile(
    join(host.folder, 'run-1/session.json'),
    '{"id":"run-1","startedAt":"2026-01-31T12:00:00Z"}',
  );
  await writeFile(join(host.folder, 'run-1/stdout.log'), large);
  await writeFile(join(host.folder, 'run-1/_SUCCESS'), '');

  expect(await does('--version')).toBe(`${description.version}\n`);
  expect(await does('doctor')).toContain('bucket');
  await does('drain');
  expect((await bucket.bytes('training-logs/companions/2026/01/run-1/stdout.log')).equals(large)).toBe(true);
  expect(await does('exec', '--id', 'run-2', '--', 'echo', 'step 1')).toBe('step 1\n');
  const listed = (await does('list', '--json')).trim().split('\n');
  const sessions = listed.map((line) => JSON.parse(line) as { id: string; status: string });
  expect(sessions.map(({ id, status }) => `${id} ${status}`).toSorted()).toEqual([
    'run-1 completed',
    'run-2 completed',
  ]);
  await does('verify');
  expect(await does('show', 'run-1')).toContain('completed');
}
