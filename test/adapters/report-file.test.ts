import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastSuccessIn, reportFileOf, writeReportFile } from '../../src/adapters/report-file.ts';
import { reportOf } from '../../src/services/report-of.ts';
import { factsWith, limits, nowMs } from '../support/report-facts.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const report = reportOf(factsWith({ lastSuccessAtMs: nowMs }), limits);

test('a report is written whole, for its user alone, in the place of the one before and of what a crash left', async () => {
  const state = await temporaryDirectory();
  await writeFile(join(state, 'report.json.tmp'), 'half a rep');
  await writeReportFile(state, { ...report, level: 'critical' });
  await writeReportFile(state, report);
  expect(JSON.parse(await readFile(join(state, 'report.json'), 'utf8'))).toEqual(report);
  expect((await stat(reportFileOf(state))).mode & 0o777).toBe(0o600);
  expect(await readdir(state)).toEqual(['report.json']);
  expect(await lastSuccessIn(state)).toBe(nowMs);
});

test('on a full disk the report before stays, and nothing else', async (context) => {
  const state = join(await temporaryDirectory(), 'state');
  const disk = mountSmallDisk(context, state, 'size=1m');
  await writeReportFile(state, report);
  disk.fill();
  await expect(writeReportFile(state, { ...report, host: 'x'.repeat(10_000) })).rejects.toThrow('ENOSPC');
  expect(JSON.parse(await readFile(join(state, 'report.json'), 'utf8'))).toEqual(report);
  expect(existsSync(join(state, 'report.json.tmp'))).toBe(false);
});

test('a report that is none, is too large, or is something else says nothing of the last success', async () => {
  const states = await Promise.all(Array.from({ length: 5 }, () => temporaryDirectory()));
  const [none = '', text = '', other = '', link = '', large = ''] = states;
  await writeFile(join(text, 'report.json'), '{"lastSuccessAt":');
  await mkdir(join(other, 'report.json'));
  await writeReportFile(large, report);
  await symlink(join(large, 'report.json'), join(link, 'report.json'));
  await truncate(join(large, 'report.json'), 5 * 1024 * 1024);
  for (const state of [none, text, other, link, large]) expect(await lastSuccessIn(state)).toBeUndefined();
});
