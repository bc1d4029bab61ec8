import { systemNumber, systemText } from './access.ts';
import { type Diagnosis, found } from './finding.ts';
import type { Visit } from './visit.ts';

/** Below it a few hundred sessions at once leave none for uploads. */
const openFilesMin = 1024;
const enoughWatches = 524_288;

/** How many directories may be watched, and files be open at once. `directories`: 0 where inotify is not used. */
export async function checkLimits(visit: Visit, directories: number): Promise<Diagnosis[]> {
  const { machine, agent } = visit;
  const limits = `${machine.proc}/sys/fs/inotify`;
  const watches = await systemNumber(`${limits}/max_user_watches`);
  const instances = await systemNumber(`${limits}/max_user_instances`);
  const pid = (await agent())?.pid ?? 'self';
  const open = openFiles((await systemText(`${machine.proc}/${pid}/limits`)) ?? '');
  return [
    ...(watches === undefined ? [] : tooFewWatches(watches, directories)),
    ...(instances === undefined || instances >= instancesMin || directories === 0 ? [] : [few(instances)]),
    ...(open === undefined || open >= openFilesMin ? [] : [tooFewFiles(open, pid)]),
  ];
}

const instancesMin = 16;

function tooFewWatches(watches: number, directories: number): Diagnosis[] {
  // Others of this user watch too, and there will be more directories.
  if (directories <= watches / 2) return [];
  const level = directories > watches ? 'beyond' : 'near';
  const said = `${directories} directories are ${level} the limit of ${watches} that one user may watch (fs.inotify.max_user_watches): changes would be found by looking alone, which is slower`;
  const remedy = `sysctl fs.inotify.max_user_watches=${Math.max(enoughWatches, 4 * directories)}, and the same in /etc/sysctl.d, on the host itself where this is a container`;
  return [found('warning', 'folder.watches', said, { remedy })];
}

function few(instances: number): Diagnosis {
  const said = `a user may have ${instances} inotify instances (fs.inotify.max_user_instances), and all programs of this user share them`;
  const remedy = 'sysctl fs.inotify.max_user_instances=1024, and the same in /etc/sysctl.d';
  return found('warning', 'folder.watches', said, { remedy });
}

function openFiles(limits: string): number | undefined {
  const hard = /^Max open files\s+\d+\s+(\d+)\s/m.exec(limits)?.[1];
  return hard === undefined ? undefined : Number(hard);
}

function tooFewFiles(open: number, pid: number | 'self'): Diagnosis {
  const whose = pid === 'self' ? 'a process started as this one' : `the agent (process ${pid})`;
  const said = `${whose} may have ${open} files open`;
  const remedy = 'raise it: LimitNOFILE=65536 in the unit, ulimit -Hn in a shell';
  return found('warning', 'folder.openFiles', said, { remedy });
}
