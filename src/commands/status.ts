import { askStatus } from '../adapters/ask-agent.ts';
import { systemClock } from '../adapters/system-time.ts';
import { loadConfig } from '../config/load.ts';
import { type Edge, exitCode } from './edge.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
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
  const { config } = loadConfig(loadInputs(edge, flags));
  if (flags.watch) return watchStatus(edge, config, flags.json === true);
  const found = (await askStatus(config.state.directory)) ?? (await readStatus(config));
  if (flags.json) {
    edge.stdout(`${JSON.stringify(found, null, 2)}\n`);
    return exitCode.ok;
  }
  const columns = Math.min(edge.terminal?.size().columns ?? columnsElsewhere, columnsMax);
  const lines = statusLines(found, systemClock.nowMs(), columns).map(paintFor(edge));
  edge.stdout(`${lines.join('\n')}\n`);
  return exitCode.ok;
}
