import { execFile } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import description from '../../package.json' with { type: 'json' };
import { temporaryDirectory } from '../support/temporary-directory.ts';

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

test('the bundle is the whole program: it needs no packages beside it', async () => {
  const home = await temporaryDirectory();
  const dist = join(home, 'dist');
  await run('npm', ['run', '-s', 'build', '--', '--dir', dist, '--logLevel', 'silent'], { cwd: repository });
  const program = join(dist, 'main.js');
  const { stdout } = await run(process.execPath, [program, '--version'], { cwd: home });
  expect(stdout).toBe(`${description.version}\n`);

  await mkdir(join(home, 'runs/run-1'), { recursive: true });
  await writeFile(join(home, 'runs/run-1/session.json'), '{"id":"run-1","startedAt":"2026-01-31T12:00:00Z"}');
  await writeFile(join(home, 'runs/run-1/_SUCCESS'), '');
  const env = {
    ...process.env,
    TRAINLOGD_DESTINATION_URL: `file://${join(home, 'bucket')}`,
    TRAINLOGD_STATE_DIRECTORY: join(home, 'state'),
  };
  await run(process.execPath, [program, 'drain', join(home, 'runs')], { cwd: home, env });
  expect(await readdir(join(home, 'bucket/training-logs/2026/01'))).toEqual(['run-1.log']);
}, 60_000);
