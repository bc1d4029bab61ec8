import { join } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import type { Edge } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { NoAnswer, type Silent } from './no-answer.ts';

export interface ExecConfig {
  /** Where sessions are, also when the rest of the configuration cannot be used. */
  readonly watched: string;
  /** All that keeps sessions from being shipped. */
  readonly problem: string | undefined;
  /** Of its places, those that do not answer. */
  readonly silent: readonly Silent[];
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
  const [{ loadConfig }, { ConfigError }, { answeringInputs }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/problem.ts'),
    import('./answering.ts'),
  ]);
  const anywhere = join(edge.cwd, 'training-output');
  const asked = await answeringInputs(edge, flags).catch((error: unknown) => {
    if (error instanceof NoAnswer) return error.message;
    throw error;
  });
  if (typeof asked === 'string')
    return { watched: anywhere, problem: asked, silent: [], loadFor: () => asked };
  const { silent, inputs } = asked;
  const attempt = (overrides: Record<string, string>): LoadedConfig | string => {
    try {
      return loadConfig({ ...inputs, ...loadInputs(edge, flags, overrides) });
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
  };
  const loadFor = (folder: string) => attempt({ 'watch.directory': folder });
  const whole = ships ? attempt({}) : undefined;
  if (typeof whole === 'object')
    return { watched: whole.config.watch.directory, problem: undefined, silent, loadFor };
  const part = attempt(nowhere);
  const problem = whole ?? (typeof part === 'string' ? part : undefined);
  const watched = typeof part === 'object' ? part.config.watch.directory : anywhere;
  return { watched, problem, silent, loadFor };
}
