import { readFileSync } from 'node:fs';
import { trainlogdProgram } from './program.ts';
import type { Ended, Host, Trainlogd } from './trainlogd.ts';

/** What Kubernetes tells every container. */
const variables = { KUBERNETES_SERVICE_HOST: '10.96.0.1', POD_NAMESPACE: 'ml', POD_NAME: 'train-0' };

/** The same host as a container of a pod: with a name of its own and a PID namespace in which no other process is in view. */
export function inPod<Kind extends Host>(host: Kind): Kind {
  const command = [
    'unshare',
    '--pid',
    '--uts',
    '--fork',
    '--kill-child',
    '--mount-proc',
    ...(host.command ?? trainlogdProgram),
  ] as const;
  return { ...host, env: { ...host.env, ...variables }, command };
}

/** As the kubelet: the container's first process is signalled. What set the namespace up waits for it, deaf to signals. */
export function stopPod({ pid, ended }: Trainlogd, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  if (!first) throw new Error(`process ${pid} has set up no namespace yet`);
  process.kill(Number(first), signal);
  return ended;
}
