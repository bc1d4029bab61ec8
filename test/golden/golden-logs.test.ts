import { existsSync, readdirSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Ended, makePlace, runAgent, shippedLogs } from '../support/agent.ts';
import { normalLog, readable } from '../support/normal-log.ts';
import { hasSamples, sampleRuns } from '../support/real-samples.ts';
import { filesBelow, layOut } from '../support/run-directories.ts';

/**
 * The session logs of real runs, as the whole program writes them. What is expected lies beside this file, one document
 * for each directory, and was reviewed against the files of the run, not taken from what the program said. After a
 * change on purpose: `npx vitest run test/golden -u`, and review the difference.
 */
const expected = join(import.meta.dirname, 'logs');
const writtenAt = new Date('2026-01-31T12:00:00Z');

async function logsOf(files: ReadonlyMap<string, string>): Promise<{ logs: object[]; ended: Ended }> {
  const place = await makePlace();
  await layOut(place, files);
  for (const path of filesBelow(place.folder)) await utimes(join(place.folder, path), writtenAt, writtenAt);
  const env = { TRAINLOGD_WATCH_IGNORE_OLDER_THAN: '36500d' };
  const ended = await runAgent(place, ['drain', '--timeout', '60s'], { env });
  const logs = [...shippedLogs(place)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, log]) => normalLog(log, writtenAt.toISOString()));
  return { logs, ended };
}

describe.skipIf(!hasSamples)('the session logs of real runs', () => {
  const runs = sampleRuns();

  test('there is one expectation for each run, and no other', () => {
    const documents = existsSync(expected) ? readdirSync(expected) : [];
    expect(documents.sort()).toEqual([...runs.keys()].map((name) => `${name}.json`).sort());
  });

  test.each([...runs.keys()])('%s', async (name) => {
    const { logs, ended } = await logsOf(runs.get(name) ?? new Map());
    expect(ended.exit, ended.stderr).toBe(0);
    await expect(readable(logs)).toMatchFileSnapshot(join(expected, `${name}.json`));
  });
});
