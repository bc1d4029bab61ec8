import { realpathSync } from 'node:fs';

/** The folder by its real path, so that a link to it is no other folder; as given while it is not there. */
export function realFolder(directory: string): string {
  try {
    return realpathSync(directory);
  } catch {
    return directory; // reason: it may be created or mounted later
  }
}
