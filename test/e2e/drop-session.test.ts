import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SessionLog, sessionLogSchema } from '../../src/domain/session-log.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const project = join(import.meta.dirname, '..', '..');

const examples = [
  {
    language: 'bash',
    program: 'bash',
    args: (folder: string) => ['examples/drop-session.sh', folder, 'echo', 'epoch 1 done'],
    companion: 'stdout.log',
    content: /^epoch 1 done\n$/,
  },
  {
    language: 'Python',
    program: 'python3',
    args: (folder: string) => ['examples/drop_session.py', folder],
    companion: 'metrics.csv',
    content: /^1,1\.0\n2,0\.5\n3,0\.3+\n$/,
  },
];

test.for(examples)('a session dropped from $language is shipped', async (example, { skip }) => {
  const { program, args, companion, content } = example;
  skip(spawnSync(program, ['--version']).error !== undefined, `${program} is not there`);
  const directory = await temporaryDirectory();
  const folder = join(directory, 'training-output');
  const dropped = spawnSync(program, args(folder), { cwd: project, encoding: 'utf8' });
  expect(dropped).toMatchObject({ status: 0, stderr: '' });

  const log = drain(directory, folder);
  expect(log.session.status).toBe('completed');
  expect([log.session.id]).toEqual(readdirSync(folder));
  expect(log.config?.epochs).toBe(3);
  expect(log).toMatchObject({ missing: [], warnings: [] });
  expect(log.companions.map(({ path }) => path)).toEqual([companion]);
  expect(readFileSync(join(directory, 'bucket', log.companions[0]?.key ?? ''), 'utf8')).toMatch(content);
});

test('a command that fails makes a failed session', async () => {
  const directory = await temporaryDirectory();
  const folder = join(directory, 'training-output');
  const args = ['examples/drop-session.sh', folder, 'false'];
  expect(spawnSync('bash', args, { cwd: project }).status).toBe(0);
  expect(drain(directory, folder).session.status).toBe('failed');
});

/** Ships what is in the folder into a directory, and gives the one log that arrived. */
function drain(directory: string, folder: string): SessionLog {
  const bucket = join(directory, 'bucket');
  const args = ['-r', './src/require-node.cjs', 'src/main.ts', 'drain', folder];
  const drained = spawnSync(process.execPath, args, {
    cwd: project,
    env: {
      PATH: process.env['PATH'],
      TRAINLOGD_DESTINATION_URL: `file://${bucket}`,
      TRAINLOGD_STATE_DIRECTORY: join(directory, 'state'),
    },
    encoding: 'utf8',
  });
  expect(drained.status, drained.stderr).toBe(0);
  const below = readdirSync(join(bucket, 'training-logs'), { recursive: true, encoding: 'utf8' });
  const logs = below.filter((path) => /^\d{4}\/\d\d\/[^/]+\.log$/.test(path));
  expect(logs).toHaveLength(1);
  const text = readFileSync(join(bucket, 'training-logs', logs[0] ?? ''), 'utf8');
  return sessionLogSchema.parse(JSON.parse(text));
}
