import { counted, type Diagnosis, found } from './finding.ts';
import { folderOf } from './hung-places.ts';
import { isEmptyDir, type Mount, mountOf } from './mounts.ts';
import type { Visit } from './visit.ts';

/** What Kubernetes gives where a pod says nothing. */
const defaultGraceMs = 30_000;
/** Between SIGTERM and the deadline of the agent, something goes on starting, stopping and writing. */
const marginMs = 2_000;
const enoughMs = 300_000;

/** Undefined where this is no pod. */
export async function inKubernetes(visit: Visit): Promise<Diagnosis[] | undefined> {
  const { machine, config, watchedDirectory } = visit;
  if (!machine.env['KUBERNETES_SERVICE_HOST']) return undefined;
  const drainMs = config?.drain.timeoutMs;
  const folder = folderOf(visit);
  const mount = folder === undefined ? undefined : await mountOf(machine.proc, folder);
  return [
    ...(drainMs === undefined ? [] : gracePeriod(drainMs)),
    ...(mount === undefined ? [] : volume(mount, watchedDirectory ?? '', drainMs)),
  ];
}

/**
 * Nothing in a pod tells its grace period, the downward API neither: what is longer than the default is said to need it,
 * and that is no sign of anything wrong.
 */
function gracePeriod(drainMs: number): Diagnosis[] {
  if (drainMs + marginMs <= defaultGraceMs) return [];
  const seconds = Math.ceil(drainMs / 1000);
  const said = `drain.timeout is ${seconds} s, for which the pod needs terminationGracePeriodSeconds: ${seconds + 30} or more; what it has cannot be seen from inside (kubectl get pod -o jsonpath='{.spec.terminationGracePeriodSeconds}')`;
  return [found('ok', 'kubernetes.gracePeriod', said)];
}

function volume(mount: Mount, folder: string, drainMs: number | undefined): Diagnosis[] {
  const { root, type, at } = mount;
  const named = JSON.stringify(folder);
  if (at === '/' && /^(overlay|aufs|fuse-overlayfs)$/.test(type)) {
    const said = `${named} lies in this container's own file system: another container's training is not seen here, and all of it goes with the container`;
    const remedy = `mount one volume at ${named} in both containers (volumes: emptyDir or a claim); not needed where the training is run by trainlogd exec in this container`;
    return [found('warning', 'kubernetes.notShared', said, { evidence: `${type} mounted at ${at}`, remedy })];
  }
  if (!isEmptyDir(mount) || drainMs === undefined || drainMs >= enoughMs) return [];
  const said = `${named} is an emptyDir, which goes with the pod, and drain.timeout is ${counted(Math.round(drainMs / 1000), 'second')}: what is not sent in that time is lost`;
  const remedy =
    'set drain.timeout: 870s and terminationGracePeriodSeconds: 900, or mount a volume that outlives the pod (a PersistentVolumeClaim)';
  return [found('warning', 'kubernetes.emptyDir', said, { evidence: `${type}, ${root}`, remedy })];
}
