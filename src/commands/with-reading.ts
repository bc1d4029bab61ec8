import { composeReading } from '../compose-reading.ts';
import type { Config } from '../config/schema.ts';
import { Failure } from '../domain/failure.ts';
import type { Reading } from '../reading/reading.ts';
import { loadAnswering } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import { explainFailure } from './explain-failure.ts';
import type { GlobalFlags } from './inputs.ts';
import { createAnswerLines } from './log-lines.ts';
import type { Place } from './no-answer.ts';

/**
 * Runs what reads the bucket back; ends it on a signal, and tells what is wrong with the destination. `unread`: the exit
 * code once nobody reads the answer any more (`trainlogd list | head`); without it, the work is worth going on with. `places`: what it cannot do without.
 */
export async function withReading(
  edge: Edge,
  flags: GlobalFlags,
  use: (reading: Reading, signal: AbortSignal, config: Config) => Promise<number>,
  unread?: number,
  places: readonly Place[] = ['destination'],
): Promise<number> {
  const { config, warnings } = await loadAnswering(edge, flags, { looksAt: places, needs: places });
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const events = createAnswerLines(edge, config);
  const reading = composeReading(config, events);
  const stop = new AbortController();
  let isUnread = false;
  const stopListening = [
    edge.onEndSignal(() => stop.abort()),
    edge.onStdoutGone?.(() => {
      isUnread = true;
      if (unread !== undefined) stop.abort();
    }),
  ];
  try {
    return await use(reading, stop.signal, config);
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'cancelled') return explainFailure(error, edge);
    if (isUnread && unread !== undefined) return unread;
    edge.stderr('trainlogd: interrupted: run it again\n');
    return exitCode.unsent;
  } finally {
    for (const stopOne of stopListening) stopOne?.();
    await reading.reader.close();
    events.close();
  }
}
