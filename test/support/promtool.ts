import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promtool } from './package-install.ts';

/** Why there is none; undefined when there is one. */
export const noPromtool = existsSync(promtool.path)
  ? undefined
  : `there is no ${promtool.path}; npm test installs it where it can`;

/** What it prints, and whether it was content. */
export function runPromtool(...args: readonly string[]): {
  readonly code: number | null;
  readonly said: string;
} {
  const { status, stdout, stderr, error } = spawnSync(promtool.path, args, { encoding: 'utf8' });
  if (error) throw error;
  return { code: status, said: `${stdout}${stderr}` };
}
