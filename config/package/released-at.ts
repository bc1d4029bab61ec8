import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const project = join(import.meta.dirname, '..', '..');

/** SOURCE_DATE_EPOCH, else the time of the commit, or of the changelog where there is no repository. */
export function releasedAtSeconds(): number {
  const told = process.env['SOURCE_DATE_EPOCH'];
  if (told !== undefined && /^\d+$/.test(told)) return Number(told);
  try {
    const args = ['log', '-1', '--format=%ct'];
    return Number(execFileSync('git', args, { cwd: project, encoding: 'utf8', stdio: 'pipe' }));
  } catch {
    return Math.floor(statSync(join(project, 'CHANGELOG.md')).mtimeMs / 1000); // reason: sources without their repository
  }
}
