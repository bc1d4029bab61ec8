import { createHostTools } from './adapters/host-tools.ts';
import { defaultFacts } from './compose-parts.ts';
import type { Config } from './config/schema.ts';
import type { Clock } from './ports/clock.ts';
import type { Events } from './ports/events.ts';
import type { FileSource } from './ports/file-source.ts';
import type { ProcessTable } from './ports/process-table.ts';
import { probeRegistry } from './probes/registry.ts';
import { SessionPlaces } from './services/session-places.ts';

/** What finds out where sessions ran. */
export function composePlaces(options: {
  readonly config: Config;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly host: string;
  readonly source: FileSource;
  readonly processes: ProcessTable;
  readonly clock: Clock;
  readonly events: Events;
  readonly network: () => boolean;
}): SessionPlaces {
  const { config, env, host, source, processes, clock, events, network } = options;
  const { shared } = config.watch;
  return new SessionPlaces({
    source,
    processes,
    clock,
    events,
    tools: createHostTools({ clock, hostName: host, path: env['PATH'] ?? '/usr/bin:/bin' }),
    registry: probeRegistry,
    own: env,
    // The configuration may know better who writes into the folder.
    network: () => (shared === 'auto' ? network() : shared),
    defaults: defaultFacts(config),
    ...config.probes,
  });
}
