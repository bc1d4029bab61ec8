import { stat, statfs } from 'node:fs/promises';
import { errnoOf } from '../adapters/errno.ts';
import type { Clock } from '../ports/clock.ts';
import { existing } from './access.ts';
import { type Diagnosis, found, type NotLooked } from './finding.ts';
import type { Visit } from './visit.ts';
import { within } from './within.ts';

export type DiskOf = 'the folder' | 'the state directory' | 'the destination';

export interface DiskRoom {
  /** What is the same for all that lies on one disk. */
  readonly device: number;
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Undefined where the file system makes them as needed. */
  readonly inodes: { readonly free: number; readonly total: number } | undefined;
}

const mib = 1024 * 1024;
/** Below it nothing works any more: neither a journal and its log, nor a training. */
const bytesMin = 64 * mib;
const lowShare = 0.05;
const lowBytes = 1024 * mib;
const inodesMin = 100;
const lowInodeShare = 0.02;

/** Room for bytes and for files, where the training writes and where the journal lies. */
export async function checkDisk(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const { watchedDirectory, stateDirectory, destination, hung } = visit;
  const local = destination?.kind === 'directory' ? destination.path : undefined;
  const named: readonly (readonly [DiskOf, string | undefined])[] = [
    ['the folder', watchedDirectory],
    ['the state directory', stateDirectory],
    ['the destination', local],
  ];
  const places = named.flatMap(([of, path]) => (path === undefined || hung.has(path) ? [] : [{ of, path }]));
  if (places.length === 0) return { because: 'no directory is known that answers' };
  const looked = await Promise.all(places.map((place) => look(place, visit)));
  const byDisk = Map.groupBy(looked, ({ of, room }) => (typeof room === 'string' ? of : room.device));
  return [...byDisk.values()].flatMap(([first, ...others]) =>
    first === undefined
      ? []
      : roomFindings(
          [first, ...others].map(({ of }) => of),
          first.room,
        ),
  );
}

async function look({ of, path }: { of: DiskOf; path: string }, { clock, limits }: Visit) {
  return { of, room: await roomAt(path, clock, limits.folderMs) };
}

/**
 * What is free there; in words, why that cannot be told. `asking` holds the paths that have not answered yet, and those
 * are not asked again: each question to a mount whose server is gone keeps a thread of four, for ever.
 */
export async function roomAt(
  path: string,
  clock: Clock,
  ms: number,
  asking = new Set<string>(),
): Promise<DiskRoom | string> {
  const silent = `${JSON.stringify(path)} does not answer`;
  if (asking.has(path)) return silent;
  try {
    const room = await within(clock, ms, undefined, async () => {
      asking.add(path);
      try {
        return await roomOf(await existing(path));
      } finally {
        asking.delete(path);
      }
    });
    return room ?? silent;
  } catch (error) {
    return `${JSON.stringify(path)}: ${errnoOf(error)}`;
  }
}

async function roomOf(there: string): Promise<DiskRoom> {
  const [{ bavail, blocks, bsize, ffree, files }, { dev: device }] = await Promise.all([
    statfs(there),
    stat(there),
  ]);
  const inodes = files === 0 ? undefined : { free: ffree, total: files };
  return { device, freeBytes: bavail * bsize, totalBytes: blocks * bsize, inodes };
}

export function roomFindings(of: readonly DiskOf[], room: DiskRoom | string): Diagnosis[] {
  const where = `the disk of ${of.join(' and ')}`;
  if (typeof room === 'string') return [unknown(where, room)];
  const { freeBytes, totalBytes, inodes } = room;
  return [space(of, where, freeBytes, totalBytes), ...(inodes ? inodeFindings(where, inodes) : [])];
}

function unknown(where: string, evidence: string): Diagnosis {
  const remedy = 'check its mount (mount, dmesg), and for a network file system its server';
  return found('warning', 'disk.unknown', `${where} cannot be looked at`, { evidence, remedy });
}

function space(of: readonly DiskOf[], where: string, freeBytes: number, totalBytes: number): Diagnosis {
  const said = `${size(freeBytes)} of ${size(totalBytes)} are free on ${where}`;
  const remedy = [
    'free space there',
    ...(of.includes('the state directory')
      ? [', or name another disk as state.directory: with a full one nothing can be shipped']
      : []),
    ...(of.includes('the folder')
      ? ['; a training that cannot write ends, and its last lines are lost']
      : []),
  ].join('');
  if (freeBytes < bytesMin) return found('critical', 'disk.free', said, { remedy });
  const isLow = freeBytes < Math.min(lowBytes, totalBytes * lowShare);
  return isLow ? found('warning', 'disk.free', said, { remedy }) : found('ok', 'disk.ok', said);
}

function inodeFindings(where: string, { free, total }: NonNullable<DiskRoom['inodes']>): Diagnosis[] {
  if (free > total * lowInodeShare) return [];
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
