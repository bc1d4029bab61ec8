import { loadConfig } from '../config/load.ts';
import type { Edge } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { Lives } from './lives.ts';
import type { ShipOptions } from './ship-options.ts';

/** Exit code 0 when nothing is left to ship, else 75. Throws ConfigError and StateError. */
export async function ship(edge: Edge, flags: GlobalFlags, options: ShipOptions): Promise<number> {
  const overrides = { ...options.overrides, 'watch.directory': options.directory };
  const load = () => loadConfig(loadInputs(edge, flags, overrides));
  return new Lives({ edge, ship: options, load }).run();
}
