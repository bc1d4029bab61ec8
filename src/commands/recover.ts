import { systemClock } from '../adapters/system-time.ts';
import { createAccess } from '../compose-access.ts';
import { createStore } from '../compose-parts.ts';
import { Conflict } from '../domain/failure.ts';
import { type FileRecovery, type Recovery, recoverSession } from '../services/recovery.ts';
import { loadAnswering } from './answering.ts';
import { type Edge, exitCode } from './edge.ts';
import { explainFailure } from './explain-failure.ts';
import { humanBytes } from './human.ts';
import type { GlobalFlags } from './inputs.ts';
import { createAnswerLines } from './log-lines.ts';
import { oneLine } from './one-line.ts';

const destinationAlone = { looksAt: ['destination'], needs: ['destination'] } as const;

/**
 * `trainlogd recover`: completes from what is in the bucket the files of a session whose host is lost. Needs the bucket
 * alone: no folder, no state directory.
 */
export async function recover(edge: Edge, flags: GlobalFlags, id: string): Promise<number> {
  const { config, warnings } = await loadAnswering(edge, flags, destinationAlone);
  for (const warning of warnings) edge.stderr(`warning: ${warning}\n`);
  const events = createAnswerLines(edge, config);
  const access = createAccess(config, systemClock, events);
  const store = createStore(config, { access });
  const stop = new AbortController();
  const stopListening = edge.onEndSignal(() => stop.abort());
  const nowMs = () => systemClock.nowMs() + (access?.clock.offsetMs() ?? 0);
  try {
    const { keyTemplate } = config.destination;
    const { snapshotEveryMs } = config.sessionLog;
    const options = { store, keyTemplate, clock: { nowMs }, snapshotEveryMs };
    const recovery = await recoverSession(options, id, stop.signal);
    edge.stdout(
      flags.json ? `${JSON.stringify({ session: id, ...recovery }, null, 2)}\n` : textOf(id, recovery),
    );
    return codeOf(recovery);
  } catch (error) {
    return explain(error, edge);
  } finally {
    stopListening();
    await store.close();
    events.close();
  }
}

function explain(error: unknown, edge: Edge): number {
  if (error instanceof Conflict) {
    const cause = 'its host, or another, ships or recovers the session right now';
    edge.stderr(`trainlogd: ${oneLine(error.message)}: ${cause}: look again in a while\n`);
    return exitCode.unsent;
  }
  return explainFailure(error, edge);
}

function codeOf(recovery: Recovery): number {
  if (recovery.outcome === 'ended') return exitCode.ok;
  if (recovery.outcome !== 'recovered') return exitCode.unsent;
  const { files } = recovery;
  if (files.some((file) => file.outcome === 'failed' && file.denied)) return exitCode.permission;
  return files.every(({ outcome }) => outcome === 'completed') ? exitCode.ok : exitCode.unsent;
}

function textOf(id: string, recovery: Recovery): string {
  const session = `session ${JSON.stringify(id)}`;
  switch (recovery.outcome) {
    case 'notFound':
      return `${session}: there is no log of it in the last five years: check the id and destination.keyTemplate\n`;
    case 'unreadable':
      return `${session}: ${recovery.key} is no log of it that this version can read: look what wrote it\n`;
    case 'ended':
      return `${session}: it is ${recovery.status}, and no file of it is left to complete: nothing was done\n`;
    case 'tooEarly':
      return tooEarlyText(session, recovery);
    case 'recovered':
      return recoveredText(session, recovery);
    default:
      return unreachable(recovery);
  }
}

function tooEarlyText(
  session: string,
  { wroteAtMs, againAtMs }: Extract<Recovery, { outcome: 'tooEarly' }>,
): string {
  const [wrote, again] = [wroteAtMs, againAtMs].map((time) => new Date(time).toISOString());
  return `${session}: its host wrote to the bucket at ${wrote}, need not have written since, and may be alive: nothing was done; should it be lost, run this again after ${again}\n`;
}

function recoveredText(session: string, recovery: Extract<Recovery, { outcome: 'recovered' }>): string {
  const { status, key, revision, files } = recovery;
  const nothing = files.length === 0 ? ', none of its files was left to complete' : '';
  const said = `${session} is ${status}${nothing}; its log is ${key}, revision ${revision}`;
  const lines = files.map((file) => oneLine(`  ${JSON.stringify(file.path)}: ${fileText(file)}`));
  return `${[said, ...lines].join('\n')}\n`;
}

function fileText(file: FileRecovery): string {
  switch (file.outcome) {
    case 'completed':
      return `${humanBytes(file.bytes)} in ${file.key}, as truncated: nobody knows whether that is all`;
    case 'lost':
      return `lost, ${file.cause}: ${file.remedy}`;
    case 'failed':
      return `not this time, ${file.cause}: ${file.remedy}`;
    default:
      return unreachable(file);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
