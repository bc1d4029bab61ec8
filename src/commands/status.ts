import { askStatus } from '../adapters/ask-agent.ts';
import { checkMount } from '../adapters/check-mount.ts';
import { systemClock } from '../adapters/system-time.ts';
import { loadAnswering, theJournal } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { saidOf } from './no-answer.ts';
import { checkStatus } from './status-check.ts';
import { statusLines } from './status-text.ts';
import { watchStatus } from './status-watch.ts';
import { readStatus } from './status-without-agent.ts';
import { paintFor } from './styled.ts';

export interface StatusFlags extends GlobalFlags {
  readonly watch?: boolean;
  readonly check?: boolean;
}

const columnsElsewhere = 80;
/** Sentences in wider lines are hard to read. */
const columnsMax = 100;

/** `trainlogd status`: asks the daemon; when none runs, reads the journal that it left. */
export async function status(edge: Edge, flags: StatusFlags): Promise<number> {
  if (flags.check) return await checkStatus(edge, flags);
  const loaded = await loadAnswering(edge, flags, theJournal);
  for (const one of loaded.silent) edge.stderr(`warning: ${saidOf(one)}: ${checkMount}\n`);
  if (flags.watch) return watchStatus(edge, loaded, flags.json === true);
  const found = (await askStatus(loaded.config.state.directory)) ?? (await readStatus(loaded));
  if (flags.json) {
    edge.stdout(`${JSON.stringify(found, null, 2)}\n`);
    return exitCode.ok;
  }
  const columns = Math.min(edge.terminal?.size().columns ?? columnsElsewhere, columnsMax);
  const lines = statusLines(found, systemClock.nowMs(), columns).map(paintFor(edge));
  edge.stdout(`${lines.join('\n')}\n`);
  return exitCode.ok;
}
