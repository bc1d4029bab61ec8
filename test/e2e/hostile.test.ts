import { describe, expect, test } from 'vitest';
import { linesOf, makePlace, objectBytes, runAgent, shippedLogs } from '../support/agent.ts';
import { expectHealthy, expectRow, makeHealthy, write } from '../support/hostile.ts';
import { hostileDocuments } from '../support/hostile-documents.ts';
import { hostileFiles } from '../support/hostile-files.ts';

describe('a session beside it arrives whole, and a person is told, when there is', () => {
  test.each([...hostileFiles, ...hostileDocuments])('$name', async (row) => {
    const place = await makePlace();
    await makeHealthy(place);
    await row.make(place);
    const ended = await runAgent(place, ['drain', '--timeout', '20s'], { env: row.env });
    await expectRow(row, place, ended);
  });
});

test('of two sessions with one id, the first to come keeps it; the other is shipped whole under one of its own', async () => {
  const place = await makePlace();
  await makeHealthy(place);
  for (const name of ['one', 'two']) {
    await write(place, `${name}/session.json`, '{"id":"shared"}');
    await write(place, `${name}/mine.txt`, name);
  }
  const ended = await runAgent(place, ['drain', '--timeout', '20s']);
  expect(ended.exit, ended.stderr).toBe(0);
  expectHealthy(place);
  const logs = ['one', 'two'].map((name) => shippedLogs(place).get(name));
  expect(logs.map((log) => log?.session.id).sort()).toEqual([
    'shared',
    expect.stringMatching(/^shared-[0-9a-f]{6}$/),
  ]);
  for (const log of logs) {
    expect(log?.companions).toHaveLength(1);
    expect(objectBytes(place, log?.companions[0]?.key ?? '').toString()).toBe(log?.session.name);
    const warning =
      /^id "shared" is taken: another session of this folder has that id; this session is shipped as "shared-[0-9a-f]{6}"$/;
    expect(log?.warnings).toEqual(log?.session.id === 'shared' ? [] : [expect.stringMatching(warning)]);
  }
  expect(linesOf(ended.stderr)).toContainEqual(
    expect.objectContaining({
      event: 'session.renamed',
      message: expect.stringMatching(/^session id "shared" is taken, .*: shipped as "shared-[0-9a-f]{6}"$/),
    }),
  );
});
