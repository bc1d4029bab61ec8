import { readdir, stat, statfs } from 'node:fs/promises';
import { errnoOf, remedyFor } from '../adapters/errno.ts';
import { type FileSystemKind, fileSystemKind } from '../adapters/file-system-kind.ts';
import { existing, systemNumber, systemText, uidOf } from './access.ts';
import { counted, type Diagnosis, found, type NotLooked } from './finding.ts';
import { type Walked, walkFolder } from './folder-walk.ts';
import { checkLimits } from './host-limits.ts';
import { checkMount } from './hung-places.ts';
import type { Visit } from './visit.ts';
import { within } from './within.ts';

/** Whether the folder is there, can be read with all that is in it, and can be watched. */
export async function checkFolder(
  visit: Visit,
  signal: AbortSignal,
): Promise<readonly Diagnosis[] | NotLooked> {
  const { watchedDirectory: folder, clock, limits, machine } = visit;
  if (folder === undefined) return { because: 'watch.directory is not usable' };
  if (visit.hung.has(folder)) return [hanging(folder)];
  const problem = await within(clock, limits.folderMs, hanging(folder), () => entryProblem(folder));
  if (problem !== undefined) return [problem];
  const kind = fileSystemKind((await statfs(folder)).type);
  const uid = (await uidOf(machine.proc, 'self')) ?? -1;
  const walked = await walkFor(folder, uid, visit, signal);
  return [
    looked(folder, kind, walked),
    ...unreadable(folder, walked, uid),
    ...sharing(visit, kind),
    ...(await claims(visit, folder, walked)),
    ...(await checkLimits(visit, kind.network ? 0 : walked.directories)),
  ];
}

function hanging(folder: string): Diagnosis {
  const said = `the folder ${JSON.stringify(folder)} does not answer`;
  return found('critical', 'folder.unreadable', said, { remedy: checkMount });
}

async function entryProblem(folder: string): Promise<Diagnosis | undefined> {
  const named = `the folder ${JSON.stringify(folder)}`;
  try {
    if (!(await stat(folder)).isDirectory()) {
      const remedy = 'name a directory as watch.directory';
      return found('critical', 'folder.notDirectory', `${named} is no directory`, { remedy });
    }
    await readdir(folder);
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'ENOENT') {
      const remedy = 'create it, mount it, or correct watch.directory; trainlogd waits for it meanwhile';
      return found('critical', 'folder.missing', `${named} is not there`, { evidence: code, remedy });
    }
    const remedy = remedyFor(code, JSON.stringify(folder));
    return found('critical', 'folder.unreadable', `${named} cannot be read`, { evidence: code, remedy });
  }
}

/** What was looked at until time is over. */
async function walkFor(folder: string, uid: number, { clock, limits }: Visit, signal: AbortSignal) {
  const done = new AbortController();
  const over = new AbortController();
  void clock.sleep(limits.folderMs, done.signal).then(() => over.abort());
  const walking = walkFolder(folder, uid, AbortSignal.any([over.signal, signal]));
  return await walking.finally(() => done.abort());
}

function looked(folder: string, { name }: FileSystemKind, walked: Walked): Diagnosis {
  const atLeast = walked.isCut ? 'at least ' : '';
  const inside = `${counted(walked.files, 'file')} in ${walked.directories === 1 ? '1 directory' : `${walked.directories} directories`}`;
  return found('ok', 'folder.ok', `${JSON.stringify(folder)} on ${name}: ${atLeast}${inside}`);
}

function unreadable(folder: string, walked: Walked, uid: number): Diagnosis[] {
  if (walked.unreadable === 0) return [];
  const things =
    walked.unreadable === 1 ? '1 file or directory' : `${walked.unreadable} files or directories`;
  const said = `${things} in ${JSON.stringify(folder)} cannot be read by this user (uid ${uid})`;
  const remedy = `${remedyFor('EACCES', 'them')}; in a pod, let both containers run as one user or share an fsGroup`;
  const evidence = walked.examples.join(', ');
  return [found('warning', 'folder.unreadableParts', said, { evidence, remedy })];
}

function sharing({ config, watchedDirectory }: Visit, { name, network }: FileSystemKind): Diagnosis[] {
  if (!network) return [];
  const said = `${JSON.stringify(watchedDirectory)} is on a network file system (${name})`;
  if (config?.watch.shared === false) {
    const remedy =
      'set watch.shared to auto or true if other hosts run trainlogd on it: they would ship the same sessions';
    return [found('warning', 'folder.shared', `${said}, and watch.shared is false`, { remedy })];
  }
  return [
    found('ok', 'folder.network', `${said}: changes are found by looking, and hosts share it by leases`),
  ];
}

const capFowner = 3;

/** Whether queued files can be kept alive by hard links; without them only what trainers delete early is at risk. */
async function claims(visit: Visit, folder: string, { foreign }: Walked): Promise<Diagnosis[]> {
  const { stateDirectory, machine, hung } = visit;
  if (stateDirectory === undefined || hung.has(stateDirectory)) return [];
  const [one, other] = await Promise.all([stat(folder), stat(await existing(stateDirectory))]);
  const lost = 'what a training deletes before it was sent is lost';
  if (one.dev !== other.dev) {
    const said = `files cannot be kept alive until they are sent (state.directory is on another file system): ${lost}`;
    return [found('ok', 'folder.claims', said)];
  }
  const isProtected = (await systemNumber(`${machine.proc}/sys/fs/protected_hardlinks`)) === 1;
  if (!isProtected || foreign === 0 || (await hasCapability(machine.proc, capFowner))) return [];
  const said = `${counted(foreign, 'file')} of other users cannot be kept alive until they are sent (fs.protected_hardlinks): ${lost}`;
  return [found('ok', 'folder.claims', `${said}; CAP_FOWNER would let them`)];
}

async function hasCapability(proc: string, bit: number): Promise<boolean> {
  const status = (await systemText(`${proc}/self/status`)) ?? '';
  const effective = /^CapEff:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> BigInt(bit)) & 1n) === 1n;
}
