import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunFile } from './read-run.ts';

/** Files that frameworks really wrote, kept outside of the project; tests over them run where the folder is there. */
const folder = resolve(import.meta.dirname, '../../../shared/samples');

export const hasSamples = existsSync(folder);

export function sampleNames(group: string, wanted: RegExp): string[] {
  return hasSamples
    ? readdirSync(join(folder, group))
        .filter((name) => wanted.test(name))
        .sort()
    : [];
}

/** `wanted` tells one file of the group; it is given the place in the run where it lay. */
export function sample(group: string, wanted: RegExp, path: string, modifiedAtMs?: number): RunFile {
  const names = sampleNames(group, wanted);
  const [name] = names;
  if (name === undefined || names.length > 1) throw new Error(`${names.length} samples are like ${wanted}`);
  const bytes = readFileSync(join(folder, group, name));
  return { path, bytes, ...(modifiedAtMs !== undefined && { modifiedAtMs }) };
}

/**
 * Every directory that can be laid out again, by repository and commit: its files, and where each lay, below a directory
 * of the repository's name.
 */
export function sampleRuns(): Map<string, Map<string, string>> {
  const runs = new Map<string, Map<string, string>>();
  if (!hasSamples) return runs;
  const [header = '', ...rows] = readFileSync(join(folder, 'INDEX.tsv'), 'utf8').trimEnd().split('\n');
  const names = header.split('\t');
  for (const row of rows) {
    const fields = row.split('\t');
    const field = (name: string) => fields[names.indexOf(name)] ?? '';
    const [owner = '', repository = ''] = field('repo').split('/');
    const name = `${owner}--${repository}@${field('commit').slice(0, 8)}`;
    const file = join(folder, field('file'));
    if (!existsSync(file)) continue;
    const run = runs.get(name) ?? new Map<string, string>();
    runs.set(name, run.set(file, `${repository}/${field('path')}`));
  }
  return runs;
}
