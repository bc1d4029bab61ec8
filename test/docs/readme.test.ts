import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const documents = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', 'docs/reference.md']
    .map(read)
    .join('\n');
  const named = [...documents.matchAll(/npm run (?:-s )?([a-z]+)/g)].map(([, name = '']) => name);
  expect([...new Set(named)].filter((name) => !(name in scripts))).toEqual([]);
});

test.each([
  'README.md',
  'CONTRIBUTING.md',
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'docs/reference.md',
  'docs/metrics.md',
  'docs/reading-back.md',
  'docs/operate.md',
  'docs/analytics.md',
  'docs/adr/README.md',
])('every link in %s leads to a file that is there', (document) => {
  const targets = [...read(document).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  const local = targets.filter((target) => !target.startsWith('http'));
  expect(local.filter((target) => !existsSync(join(project, dirname(document), target)))).toEqual([]);
});
