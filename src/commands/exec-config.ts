import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import type { Edge } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';

export interface ExecConfig {
  /** Where sessions are, also when the rest of the configuration cannot be used. */
  readonly watched: string;
  /** All that keeps sessions from being shipped. */
  readonly problem: string | undefined;
  /** With another watched folder; all that is wrong with that. */
  readonly loadFor: (folder: string) => LoadedConfig | string;
}

/** A directory that nobody has, as a destination that asks for nothing. */
const nowhere = { 'destination.url': 'file:///nonexistent/trainlogd' };

/**
 * The configuration as far as it goes: that it is not whole keeps no training from running. Loaded on demand, since
 * processes that only pass output through are better off without.
 */
export async function execConfig(edge: Edge, flags: GlobalFlags, ships: boolean): Promise<ExecConfig> {
  const [{ loadConfig }, { ConfigError }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/problem.ts'),
  ]);
  const attempt = (overrides: Record<string, string>): LoadedConfig | string => {
    try {
      return loadConfig(loadInputs(edge, flags, overrides));
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  const loadFor = (folder: string) => attempt({ 'watch.directory': folder });
  const whole = ships ? attempt({}) : undefined;
  if (typeof whole === 'object')
    return { watched: whole.config.watch.directory, problem: undefined, loadFor };
  const part = attempt(nowhere);
  const problem = whole ?? (typeof part === 'string' ? part : undefined);
  const watched = typeof part === 'object' ? part.config.watch.directory : join(edge.cwd, 'training-output');
  return { watched, problem, loadFor };
}
