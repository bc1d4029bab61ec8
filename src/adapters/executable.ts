import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Whether a command's file is there, by its path or in one of the directories of PATH. */
export function isCommandThere(name: string, cwd: string, path: string | undefined): boolean {
  if (name === '') return false;
  if (name.includes('/')) return existsSync(resolve(cwd, name));
  return (path ?? '').split(':').some((directory) => existsSync(resolve(cwd, directory, name)));
}
