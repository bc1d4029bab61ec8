import { hostname } from 'node:os';
import type { LoadInputs } from '../config/load.ts';
import type { OptionKey } from '../config/schema.ts';
import type { Edge } from './edge.ts';

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly config?: string;
  readonly envFile?: string;
  readonly logLevel?: string;
  readonly json?: boolean;
}

export function loadInputs(
  edge: Edge,
  flags: GlobalFlags,
  overrides: Partial<Record<OptionKey, unknown>> = {},
): LoadInputs {
  return {
    env: edge.env,
    cwd: edge.cwd,
    homeDirectory: edge.homeDirectory,
    isRoot: edge.isRoot,
    hostname: hostname(),
    configFile: flags.config,
    envFile: flags.envFile,
    overrides: { ...overrides, ...(flags.logLevel !== undefined && { 'log.level': flags.logLevel }) },
  };
}
