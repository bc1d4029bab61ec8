import { type Diagnosis, found, type NotLooked } from './finding.ts';
import { inKubernetes } from './kubernetes.ts';
import { underSystemd } from './systemd.ts';
import type { Visit } from './visit.ts';

/** What runs the agent, and whether it leaves it the time and the view that it needs. */
export async function checkHost(visit: Visit): Promise<readonly Diagnosis[] | NotLooked> {
  const [pod, unit] = await Promise.all([inKubernetes(visit), underSystemd(visit)]);
  const found_ = [...(pod ?? []), ...(unit ?? [])];
  const where = [...(pod ? ['in a pod'] : []), ...(unit ? ['as trainlogd.service'] : [])];
  if (where.length === 0)
    return { because: 'neither in a pod nor a unit called trainlogd.service', needless: true };
  return found_.length > 0
    ? found_
    : [found('ok', 'host.ok', `${where.join(', ')}: nothing stands in its way`)];
}
