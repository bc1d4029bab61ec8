import { realFolder } from '../adapters/real-folder.ts';
import type { Clock } from '../ports/clock.ts';
import type { HostTools } from '../probes/host-tools.ts';
import type { Configured } from './patient.ts';
import { within } from './within.ts';

export const checkMount =
  'check its mount (mount, dmesg): a network file system whose server is gone makes everything wait';

/** It is gone to, or it is not there: either is an answer. */
const goThere = 'cd -- "$1" 2>/dev/null; echo';

/**
 * The paths that do not answer. Another process asks: of this one, a call to a mount whose server is gone would take a
 * thread for good, and the exit with it.
 */
export async function hungPlaces(
  { watchedDirectory, stateDirectory, destination }: Omit<Configured, 'hung'>,
  clock: Clock,
  ms: number,
  /** One for each path: of one, no program runs twice at a time. */
  tools: () => Pick<HostTools, 'run'>,
): Promise<ReadonlySet<string>> {
  const local = destination?.kind === 'directory' ? destination.path : undefined;
  const paths = [watchedDirectory, stateDirectory, local].filter((path) => path !== undefined);
  const asked = paths.map(async (path) => {
    const ask = async () => void (await tools().run('sh', ['-c', goThere, 'sh', path]));
    return (await within(clock, ms, path, ask)) ?? [];
  });
  return new Set((await Promise.all(asked)).flat());
}

/** The watched folder by its real path, as far as that can be asked for. */
export function folderOf({ watchedDirectory, hung }: Configured): string | undefined {
  if (watchedDirectory === undefined || hung.has(watchedDirectory)) return watchedDirectory;
  return realFolder(watchedDirectory);
}
