import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a release into a directory that holds something else is refused, and nothing there is removed', async () => {
  const directory = await temporaryDirectory();
  // Files of sums lie beside other things than this.
  for (const name of ['SHA256SUMS', 'precious']) writeFileSync(join(directory, name), '');
  const script = join(import.meta.dirname, '..', '..', 'config', 'package', 'release.ts');
  const { status, stderr } = spawnSync(process.execPath, [script, '--out', directory], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toContain(`"${directory}" holds more than a release: name another directory`);
  expect(readdirSync(directory)).toEqual(['SHA256SUMS', 'precious']);
});
