import { createWinstonEvents } from '../adapters/winston-events.ts';
import { composeReading } from '../compose-reading.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import type { Reading } from '../reading/reading.ts';
import type { Edge } from './edge.ts';
import { explainFailure } from './explain-failure.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';

/** Runs what reads the bucket back; ends it on a signal, and tells what is wrong with the destination. */
export async function withReading(
  edge: Edge,
  flags: GlobalFlags,
  use: (reading: Reading, signal: AbortSignal, config: Config) => Promise<number>,
): Promise<number> {
  const { config, warnings } = loadConfig(loadInputs(edge, flags));
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const { level, format } = config.log;
  const events = createWinstonEvents({
    level,
    format: format === 'auto' ? 'text' : format,
    write: edge.stderr,
  });
  const reading = composeReading(config, events);
  const stop = new AbortController();
  const stopListening = edge.onEndSignal(() => stop.abort());
  try {
    return await use(reading, stop.signal, config);
  } catch (error) {
    return explainFailure(error, edge);
  } finally {
    stopListening();
    await reading.reader.close();
    events.close();
  }
}
