import { systemClock } from '../adapters/system-time.ts';
import { createWinstonEvents } from '../adapters/winston-events.ts';
import { createAccess } from '../compose-access.ts';
import { createStore } from '../compose-parts.ts';
import { loadConfig } from '../config/load.ts';
import { Conflict, Failure } from '../domain/failure.ts';
import { type Recovery, recoverSession } from '../services/recovery.ts';
import { type Edge, exitCode } from './edge.ts';
import { humanBytes } from './human.ts';
import { type GlobalFlags, loadInputs } from './inputs.ts';
import { oneLine } from './one-line.ts';

/**
 * `trainlogd recover`: completes from what is in the bucket the files of a session whose host is lost. Needs the bucket
 * alone: no folder, no state directory.
 */
export async function recover(edge: Edge, flags: GlobalFlags, id: string): Promise<number> {
  const { config, warnings } = loadConfig(loadInputs(edge, flags));
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const { level, format } = config.log;
  const events = createWinstonEvents({
    level,
    format: format === 'auto' ? 'text' : format,
    write: edge.stderr,
  });
  const store = createStore(config, { access: createAccess(config, systemClock, events) });
  const stop = new AbortController();
  const stopListening = edge.onEndSignal(() => stop.abort());
  try {
    const { keyTemplate } = config.destination;
    const recovery = await recoverSession({ store, keyTemplate, clock: systemClock }, id, stop.signal);
    edge.stdout(
      flags.json ? `${JSON.stringify({ session: id, ...recovery }, null, 2)}\n` : textOf(id, recovery),
    );
    return codeOf(recovery);
  } catch (error) {
    if (error instanceof Conflict) {
      edge.stderr(
        `trainlogd: ${oneLine(error.message)}: its host, or another, ships the session right now\n`,
      );
      return exitCode.unsent;
    }
    if (!(error instanceof Failure)) throw error;
    const remedy = error.remedy ?? 'run it again';
    edge.stderr(`trainlogd: ${oneLine(error.message)}: ${oneLine(remedy)}\n`);
    return error.kind === 'blocked' ? exitCode.unreachable : exitCode.unsent;
  } finally {
    stopListening();
    await store.close();
    events.close();
  }
}

function codeOf(recovery: Recovery): number {
  if (recovery.outcome === 'ended') return exitCode.ok;
  if (recovery.outcome !== 'recovered') return exitCode.unsent;
  return recovery.files.some(({ outcome }) => outcome === 'lost') ? exitCode.unsent : exitCode.ok;
}

function textOf(id: string, recovery: Recovery): string {
  const session = `session ${JSON.stringify(id)}`;
  switch (recovery.outcome) {
    case 'notFound':
      return `${session}: there is no log of it in the last five years: check the id and destination.keyTemplate\n`;
    case 'unreadable':
      return `${session}: ${recovery.key} is no session log that this version can read: look what wrote it\n`;
    case 'ended':
      return `${session}: it is ${recovery.status}, and no file of it is left to complete: nothing was done\n`;
    case 'tooEarly':
      return `${session}: its host wrote to the bucket only just now and may be alive: nothing was done; should it be lost, run this again after ${new Date(recovery.againAtMs).toISOString()}\n`;
    case 'recovered':
      return recoveredText(session, recovery);
    default:
      return unreachable(recovery);
  }
}

function recoveredText(session: string, recovery: Extract<Recovery, { outcome: 'recovered' }>): string {
  const lines = recovery.files.map((file) =>
    file.outcome === 'completed'
      ? `  ${JSON.stringify(file.path)}: ${humanBytes(file.bytes)} in ${file.key}`
      : `  ${JSON.stringify(file.path)}: lost, ${oneLine(file.cause)}: ${file.remedy}`,
  );
  const nothing = recovery.files.length === 0 ? ', none of its files was left to complete' : '';
  const said = `${session} is ${recovery.status}${nothing}; its log is ${recovery.key}, revision ${recovery.revision}`;
  return `${[said, ...lines].join('\n')}\n`;
}

function unreachable(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
