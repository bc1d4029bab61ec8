import { spawnSync } from 'node:child_process';
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { realFolder } from '../support/real-folder.ts';

const program = join(import.meta.dirname, '../support/scan-and-open.ts');
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

test('what may not be read is named with its remedy, and the rest is read', async ({ skip }) => {
  const folder = await realFolder();
  for (const path of ['closed/f', 'listed-only/f', 'entered-only/f', 'open/f', 'open/private'])
    await folder.write(path, 'x');
  await chmod(folder.at('closed'), 0);
  await chmod(folder.at('listed-only'), 0o744);
  await chmod(folder.at('entered-only'), 0o711);
  await chmod(folder.at('open/private'), 0o600);
  await chmod(join(folder.directory, '..'), 0o755);
  await mkdir(folder.stateDirectory, { mode: 0o777 });
  await chmod(folder.stateDirectory, 0o777);
  if (!isRoot) {
    for (const [path, mode] of [
      ['listed-only', 0o444],
      ['entered-only', 0o111],
      ['open/private', 0],
    ] as const) {
      await chmod(folder.at(path), mode);
    }
  }

  const ran = spawnSync(
    process.execPath,
    [program, folder.directory, folder.stateDirectory, 'open/private', 'closed/f', 'open/f'],
    {
      encoding: 'utf8',
      env: {},
      ...(isRoot ? { uid: nobody, gid: nobody } : {}),
    },
  );
  for (const path of ['closed', 'listed-only', 'entered-only']) await chmod(folder.at(path), 0o755);
  if (/EACCES|permission denied/i.test(ran.stderr) || ran.error !== undefined) {
    skip(`another user cannot run the program from here: ${ran.error?.message ?? ran.stderr.slice(0, 200)}`);
  }
  expect(ran.stderr).toBe('');
  const { entries, problems, failures, claims, told } = JSON.parse(ran.stdout);
  expect(entries).toEqual(['closed', 'entered-only', 'listed-only', 'open', 'open/f', 'open/private']);
  expect(problems).toMatchObject([
    { path: 'closed', code: 'EACCES', remedy: expect.stringContaining('"closed"') },
    { path: 'entered-only', code: 'EACCES' },
    { path: 'listed-only', code: 'EACCES' },
  ]);
  expect(failures).toMatchObject([
    {
      path: 'open/private',
      reason: 'unreadable',
      code: 'EACCES',
      message: expect.stringMatching(/"open\/private" \(owner uid \d+, mode 0[0-7]00\)/),
      remedy: expect.stringContaining('chmod o+r'),
    },
    { path: 'closed/f', reason: 'unreadable', code: 'EACCES' },
  ]);
  if (isRoot) {
    // Another user's files: links to them are refused where fs.protected_hardlinks is on, once said, never an error.
    expect(told.length).toBeLessThanOrEqual(2);
    if (claims.includes(false)) expect(told[0]).toMatchObject({ remedy: expect.stringContaining('owner') });
  }
});
