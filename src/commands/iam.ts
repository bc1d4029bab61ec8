import { agentPolicy } from '../bucket/policy.ts';
import { loadAnswering } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';

/** `trainlogd iam policy`: what the agent's user or role has to be allowed, to be pasted as it is. Asks nobody. */
export async function iamPolicy(edge: Edge, flags: GlobalFlags): Promise<number> {
  const { config, warnings } = await loadAnswering(edge, flags, { looksAt: [] });
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const { destination } = config;
  if (destination.kind === 'directory') {
    edge.stderr(
      'trainlogd: the destination is a directory, which needs no policy: set S3_BUCKET_NAME or destination.url\n',
    );
    return exitCode.configuration;
  }
  edge.stdout(`${JSON.stringify(agentPolicy(destination), null, 2)}\n`);
  return exitCode.ok;
}
