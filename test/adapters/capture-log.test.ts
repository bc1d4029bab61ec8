import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureLog } from '../../src/adapters/capture-log.ts';
import { systemClock } from '../../src/adapters/system-time.ts';
import { eventually } from '../support/eventually.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('CaptureLog goes on behind what is there, in order', async () => {
  const path = join(await temporaryDirectory(), 'a.log');
  writeFileSync(path, 'before\n');
  const log = await CaptureLog.open({ path, clock: systemClock, onProblem: () => undefined });
  for (let at = 0; at < 1000; at++) log.push(Buffer.from(`${at}\n`));
  await log.close();
  expect(readFileSync(path, 'utf8')).toBe(
    `before\n${Array.from({ length: 1000 }, (_, at) => `${at}\n`).join('')}`,
  );
  expect(log.lostBytes).toBe(0);
});

test.each([
  ['a link', (path: string) => symlinkSync('elsewhere', path), 'ELOOP'],
  ['a directory', (path: string) => void mkdirSync(path), 'EISDIR'],
])('CaptureLog writes through no %s', async (_, make, code) => {
  const path = join(await temporaryDirectory(), 'a.log');
  make(path);
  await expect(
    CaptureLog.open({ path, clock: systemClock, onProblem: () => undefined }),
  ).rejects.toMatchObject({ code });
});

test('CaptureLog waits for a full disk, and names in the log what it had to leave out', async (context) => {
  const disk = mountSmallDisk(context, join(await temporaryDirectory(), 'disk'), 'size=16m');
  const path = join(disk.path, 'a.log');
  const problems: string[] = [];
  const log = await CaptureLog.open({ path, clock: systemClock, onProblem: (code) => problems.push(code) });
  disk.fill();
  const chunk = Buffer.alloc(1024 * 1024, 'x');
  for (let at = 0; at < 6; at++) log.push(chunk);
  await eventually(() => problems.length > 0);
  disk.free();
  await eventually(() => readFileSync(path, 'utf8').includes('are missing here'));
  log.push(Buffer.from('end\n'));
  await log.close();
  const text = readFileSync(path, 'utf8');
  const left = log.lostBytes;
  expect(left).toBeGreaterThan(0);
  expect(problems).toEqual(['ENOSPC']);
  const kept = 'x'.repeat(6 * chunk.length - left);
  expect(text).toBe(
    `${kept}\n[trainlogd: ${left} bytes of output are missing here, the disk could not take them]\nend\n`,
  );
});
