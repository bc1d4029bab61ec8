import { chmod, lstat, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { trainlogdProgram } from '../support/program.ts';
import { makeHost, start, toDirectory } from '../support/trainlogd.ts';

/** Octal modes of what is in a directory, links that are the trainings' own files left out. */
async function modesIn(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).filter((name) => name !== 'claims');
  const modes = names.map(async (name) => {
    const { mode } = await lstat(join(directory, name));
    return [name, (mode & 0o777).toString(8)] as const;
  });
  return Object.fromEntries(await Promise.all(modes));
}

test('what is in the state directory is for its owner alone, whatever the umask is and whoever made it', async (context) => {
  const host = await makeHost(context, toDirectory('/nowhere'));
  const command = ['sh', '-c', 'umask 0; exec "$@"', 'sh', ...trainlogdProgram] as const;
  const env = { ...host.env, TRAINLOGD_DESTINATION_URL: `file://${host.base}/destination` };
  const place = { ...host, env: { ...env, TRAINLOGD_WATCH_SETTLE: '20ms' }, command };
  await mkdir(join(host.folder, 'run'));
  await writeFile(join(host.folder, 'run', 'result.json'), '{"status":"completed"}');
  for (const made of ['anew', 'by a version that left it open']) {
    const daemon = start(context, place);
    await daemon.event('daemon.started');
    await eventually(async () => (await modesIn(host.state))['report.json'] !== undefined);
    // The socket is closed to others right after it is made.
    await eventually(async () => {
      const modes = await modesIn(host.state);
      expect(Object.keys(modes), made).toContain('journal.sqlite-wal');
      return Object.values(modes).every((mode) => mode === '600');
    });
    expect((await daemon.stop()).code).toBe(0);
    await chmod(join(host.state, 'journal.sqlite'), 0o644);
  }
});
