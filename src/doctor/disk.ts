import { statfs } from 'node:fs/promises';
import { errnoOf } from '../adapters/errno.ts';
import { existing } from './access.ts';
import { type Diagnosis, found, type NotLooked } from './finding.ts';
import type { Visit } from './visit.ts';
import { within } from './within.ts';

interface Disk {
  readonly of: string;
  readonly path: string;
  /** Below it nothing works any more. */
  readonly bytesMin: number;
}

const mib = 1024 * 1024;
/** The state directory takes the journal and its log; the folder is the training's own. */
const bytesMin = { state: 64 * mib, folder: 64 * mib };
const lowShare = 0.05;
const lowBytes = 1024 * mib;
const inodesMin = 100;
const lowInodeShare = 0.02;

/** Room for bytes and for files, where the training writes and where the journal lies. */
export async function checkDisk(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { watchedDirectory, stateDirectory, destination } = visit;
  const local = destination?.kind === 'directory' ? destination.path : undefined;
  const disks: Disk[] = [
    ...(watchedDirectory ? [{ of: 'the folder', path: watchedDirectory, bytesMin: bytesMin.folder }] : []),
    ...(stateDirectory
      ? [{ of: 'the state directory', path: stateDirectory, bytesMin: bytesMin.state }]
      : []),
    ...(local ? [{ of: 'the destination', path: local, bytesMin: bytesMin.folder }] : []),
  ];
  if (disks.length === 0) return { because: 'no directory is known' };
  return (await Promise.all(disks.map((disk) => look(disk, visit)))).flat();
}

async function look(disk: Disk, { clock, limits }: Visit): Promise<Diagnosis[]> {
  const { path } = disk;
  const where = `the disk of ${disk.of}`;
  try {
    const found_ = await within(clock, limits.folderMs, undefined, async () => statfs(await existing(path)));
    if (found_ === undefined) return [unknown(where, `${JSON.stringify(path)} does not answer`)];
    const { bavail, blocks, bsize, ffree, files } = found_;
    return [space(disk, where, bavail * bsize, blocks * bsize), ...inodes(where, ffree, files)];
  } catch (error) {
    return [unknown(where, `${JSON.stringify(path)}: ${errnoOf(error)}`)];
  }
}

function unknown(where: string, evidence: string): Diagnosis {
  const remedy = 'check its mount (mount, dmesg), and for a network file system its server';
  return found('warning', 'disk.unknown', `${where} cannot be looked at`, { evidence, remedy });
}

function space(
  { of, bytesMin: least }: Disk,
  where: string,
  freeBytes: number,
  totalBytes: number,
): Diagnosis {
  const said = `${size(freeBytes)} of ${size(totalBytes)} are free on ${where}`;
  const isState = of === 'the state directory';
  const remedy = isState
    ? 'free space there, or name another disk as state.directory: with a full one nothing can be shipped'
    : 'free space there: a training that cannot write ends, and its last lines are lost';
  if (freeBytes < least) return found('critical', 'disk.free', said, { remedy });
  const isLow = freeBytes < Math.min(lowBytes, totalBytes * lowShare);
  return isLow ? found('warning', 'disk.free', said, { remedy }) : found('ok', 'disk.ok', said);
}

/** Some file systems make them as needed, and count none. */
function inodes(where: string, free: number, total: number): Diagnosis[] {
  if (total === 0 || free > total * lowInodeShare) return [];
  const said = `${free} of ${total} inodes are free on ${where}`;
  const remedy =
    'remove small files there (df -i; find DIR -xdev -type f | wc -l): no file can be made without one';
  return [found(free < inodesMin ? 'critical' : 'warning', 'disk.inodes', said, { remedy })];
}

function size(bytes: number): string {
  const gib = bytes / (1024 * mib);
  if (gib >= 100) return `${Math.round(gib)} GiB`;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${Math.round(bytes / mib)} MiB`;
}
