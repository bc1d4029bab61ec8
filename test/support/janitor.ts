import { Janitor } from '../../src/services/janitor.ts';
import { folder, type TestAgent, type World } from './services.ts';

/** Of an agent in its world, by whose rules no local file is too young. */
export function janitorOf(
  world: World,
  { journal }: TestAgent,
  localFiles: 'keep' | 'delete' = 'keep',
): Janitor {
  const { folder: source, store, processes, clock, events } = world;
  const retention = { localFiles, keepForMs: 0 };
  return new Janitor({
    source,
    journal,
    store,
    processes,
    clock,
    events,
    folder,
    abandoned: undefined,
    retention,
  });
}
