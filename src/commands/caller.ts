import type { Caller } from '../compose-admin.ts';
import { findCredentials } from '../config/credentials.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { environmentVariables } from '../config/variables.ts';
import type { Edge } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';

const pairNames = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'] as const;

/** Whoever runs the command: environment, profile, roles. Of the `.env` file only whose keys are not theirs. */
export function callerOf(edge: Edge, flags: GlobalFlags): Caller {
  const findings = { problems: [], warnings: [] };
  const own = findCredentials(environmentVariables(edge.env, findings), new Map(), findings);
  const aws = Object.entries(edge.env).filter(([name]) => name.startsWith('AWS_'));
  return {
    env: Object.fromEntries(aws),
    homeDirectory: edge.homeDirectory,
    environmentPair: own?.credentials,
    agentKeyId: agentKeyId(edge, flags),
  };
}

function agentKeyId(edge: Edge, flags: GlobalFlags): string | undefined {
  const env: Record<string, string | undefined> = { ...edge.env };
  for (const name of pairNames) delete env[name];
  try {
    const { destination } = loadConfig({
      ...loadInputs({ ...edge, env }, flags),
      // Its keys alone are asked for, and no place of it.
      follow: (path) => path,
    }).config;
    return destination.kind === 's3' ? destination.credentials?.accessKeyId : undefined;
  } catch (error) {
    // Half a pair stands there, and the environment has the other half: loaded as it is, all is well.
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}
