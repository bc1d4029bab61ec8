import { loadAnswering } from './answering.ts';
import type { Edge } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { Lives } from './lives.ts';
import type { Place } from './no-answer.ts';
import type { ShipOptions } from './ship-options.ts';

/** Exit code 0 when nothing is left to ship, else 75. Throws ConfigError, StateError and NoAnswer. */
export async function ship(edge: Edge, flags: GlobalFlags, options: ShipOptions): Promise<number> {
  const overrides = { ...options.overrides, 'watch.directory': options.directory };
  // Who is there to stay waits for them.
  const needs: readonly Place[] = options.stays ? [] : ['folder', 'state', 'destination'];
  const load = () => loadAnswering(edge, flags, { overrides, needs });
  return new Lives({ edge, ship: options, load, loaded: await load() }).run();
}
