import { createDirectoryReader } from './adapters/directory-reader.ts';
import { createS3Reader } from './adapters/s3-reader.ts';
import { systemClock } from './adapters/system-time.ts';
import { createAccess } from './compose-access.ts';
import type { Config } from './config/schema.ts';
import type { Events } from './ports/events.ts';
import { createReading, type Reading } from './reading/reading.ts';

/** The bucket for those who read it back: no folder and no state directory is needed. Close its reader. */
export function composeReading(config: Config, events: Events): Reading {
  const { destination } = config;
  const { keyTemplate } = destination;
  const access = createAccess(config, systemClock, events);
  const reader =
    destination.kind === 'directory'
      ? createDirectoryReader(destination)
      : createS3Reader(destination, access);
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + (access?.clock.offsetMs() ?? 0) };
  return createReading({ reader, keyTemplate, clock });
}
