import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sessionLogSchema } from '../../src/domain/session-log.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const project = join(import.meta.dirname, '..', '..');

test('the demo ships one session, shows the log that arrived, and says nothing on stderr', async () => {
  const directory = await temporaryDirectory();
  const demo = spawnSync(process.execPath, ['-r', './src/require-node.cjs', 'examples/demo.ts'], {
    cwd: project,
    // What is set here for a real bucket must have no part in the demo.
    env: {
      ...process.env,
      TMPDIR: directory,
      S3_BUCKET_NAME: 'not-this-one',
      TRAINLOGD_WATCH_SETTLE: 'soon',
    },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect({ status: demo.status, stderr: demo.stderr }, demo.stdout).toEqual({ status: 0, stderr: '' });

  const [top = ''] = readdirSync(directory).filter((name) => name.startsWith('trainlogd-demo-'));
  const key = /^key: (training-logs\/\S+\.log)$/m.exec(demo.stdout)?.[1] ?? 'no key was printed';
  const text = readFileSync(join(directory, top, 'bucket', key), 'utf8');
  const log = sessionLogSchema.parse(JSON.parse(text));
  expect(log.session).toMatchObject({ status: 'completed', sealedBy: 'result.json' });
  expect(log.missing).toEqual([]);
  expect(log.companions.map(({ path }) => path)).toEqual(['metrics.csv', 'stdout.log']);
  for (const { key: companion, bytes } of log.companions) {
    expect(readFileSync(join(directory, top, 'bucket', companion))).toHaveLength(bytes);
    expect(demo.stdout).toContain(companion);
  }
  expect(demo.stdout).toContain(`"id": "${log.session.id}"`);
  expect(demo.stdout).not.toContain('\u001b');
});
