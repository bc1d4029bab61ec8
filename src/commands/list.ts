import { listMonth, listNewest, type SessionLine } from '../reading/list-sessions.ts';
import type { Reading } from '../reading/reading.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { listHead, sessionLines } from './list-text.ts';
import { plainJson } from './one-line.ts';
import { StatusLine } from './status-line.ts';
import { withReading } from './with-reading.ts';

/** Without a month: what fits on two screens. */
const newestMax = 25;

/** `trainlogd list`: the sessions in the bucket, as their logs tell. Needs the bucket alone. */
export function list(edge: Edge, flags: GlobalFlags & { readonly month?: string }): Promise<number> {
  const all = async (reading: Reading, signal: AbortSignal) => {
    const progress = new StatusLine(edge);
    let count = 0;
    progress.show(() => 'reading session logs…');
    try {
      for await (const line of linesOf(reading, flags.month, signal)) {
        progress.clear();
        if (count === 0 && !flags.json) edge.stdout(listHead);
        edge.stdout(flags.json ? `${plainJson(JSON.stringify(line))}\n` : sessionLines(line));
        count += 1;
        progress.show(() => `${count} sessions…`);
      }
    } finally {
      progress.clear();
    }
    if (count === 0 && !flags.json) edge.stderr(nothing(reading, flags.month));
    return exitCode.ok;
  };
  return withReading(edge, flags, all, exitCode.ok);
}

function linesOf(
  reading: Reading,
  month: string | undefined,
  signal: AbortSignal,
): AsyncIterable<SessionLine> {
  return month === undefined ? newest(reading, signal) : listMonth(reading, month, signal);
}

async function* newest(reading: Reading, signal: AbortSignal): AsyncGenerator<SessionLine> {
  yield* await listNewest(reading, newestMax, signal);
}

function nothing({ reader, keyTemplate }: Reading, month: string | undefined): string {
  const when = month === undefined ? '' : ` of ${month}`;
  return `no sessions${when} in ${reader.name} under ${JSON.stringify(keyTemplate)}\n`;
}
