import type { Edge } from '../../src/commands/edge.ts';
import type { Place } from '../support/agent.ts';

/** A process of a test: its environment, and what it said on stdout. */
export function edgeOf(
  { folder }: Pick<Place, 'folder'>,
  env: Readonly<Record<string, string | undefined>>,
): { edge: Edge; said: () => string } {
  let stdout = '';
  const edge: Edge = {
    env,
    cwd: folder,
    pid: 4711,
    isRoot: false,
    homeDirectory: env['HOME'],
    stderrIsTerminal: false,
    stdout: (text) => {
      stdout += text;
    },
    stderr: () => undefined,
    onEndSignal: () => () => undefined,
    onReload: () => () => undefined,
  };
  return { edge, said: () => stdout };
}
