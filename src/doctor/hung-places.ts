import { realFolder } from '../adapters/real-folder.ts';
import type { Configured } from './patient.ts';

export { checkMount } from '../adapters/check-mount.ts';

/** The watched folder by its real path, as far as that can be asked for. */
export function folderOf({ watchedDirectory, hung }: Configured): string | undefined {
  if (watchedDirectory === undefined || hung.has(watchedDirectory)) return watchedDirectory;
  return realFolder(watchedDirectory);
}
