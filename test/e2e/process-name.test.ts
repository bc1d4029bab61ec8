import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { makeHost, start, toDirectory } from '../support/trainlogd.ts';

test('a daemon is found by its name, and its arguments are those that it was given', async (context) => {
  const host = await makeHost(context, toDirectory('/nowhere'));
  const daemon = start(context, host, ['run', host.folder]);
  await daemon.event('daemon.started');
  expect(await readFile(`/proc/${daemon.pid}/comm`, 'utf8')).toBe('trainlogd\n');
  const args = (await readFile(`/proc/${daemon.pid}/cmdline`, 'utf8')).split('\0');
  expect(args.slice(-3)).toEqual(['run', host.folder, '']);
  await daemon.stop();
});
