import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const project = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(project, file), 'utf8');
const readme = read('README.md');

test.each([
  { file: 'examples/drop-session.sh', isPreamble: (line: string) => /^#|^set -/.test(line) },
  { file: 'examples/drop_session.py', isPreamble: (line: string) => /^#|^"""/.test(line) },
])('the README shows $file as it is', ({ file, isPreamble }) => {
  const lines = read(file).split('\n');
  const body = lines.slice(lines.findIndex((line) => !isPreamble(line)));
  expect(readme).toContain(body.join('\n').trim());
});
