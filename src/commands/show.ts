import { Failure } from '../domain/failure.ts';
import { findLog } from '../reading/find-log.ts';
import { type LogObject, type ReadLog, readLog } from '../reading/log-object.ts';
import type { Reading } from '../reading/reading.ts';
import { type Edge, exitCode } from './edge.ts';
import type { GlobalFlags } from './inputs.ts';
import { plainJson } from './one-line.ts';
import { showText } from './show-text.ts';
import { withReading } from './with-reading.ts';

/** `trainlogd show`: one session, as its log in the bucket tells; with `--json` the log itself. */
export function show(edge: Edge, flags: GlobalFlags, id: string): Promise<number> {
  return withReading(edge, flags, async (reading, signal) => {
    const { log, bytes } = await logOf(reading, id, signal);
    edge.stdout(flags.json ? `${plainJson(bytes.toString('utf8').trimEnd())}\n` : showText(log));
    return exitCode.ok;
  });
}

export type FoundLog = Extract<ReadLog, { outcome: 'read' }> & { readonly found: LogObject };

/** The log of a session, found and read. Throws Failure where there is none that can be read. */
export async function logOf(reading: Reading, id: string, signal: AbortSignal): Promise<FoundLog> {
  const doing = `looking for the log of ${JSON.stringify(id)} in ${reading.reader.name}`;
  const fail = (code: string, found: string, remedy: string) =>
    new Failure({ kind: 'permanent', code, attempted: `${doing}: ${found}`, remedy });
  const found = await findLog(reading, id, signal);
  if (!found) {
    const template = JSON.stringify(reading.keyTemplate);
    throw fail(
      'NoSuchKey',
      `there is none under ${template}`,
      'check the id (trainlogd list) and destination.keyTemplate',
    );
  }
  const { key } = found.object;
  const read = await readLog(reading, found, signal);
  switch (read.outcome) {
    case 'read':
      return { ...read, found };
    case 'archived':
      throw fail('InvalidObjectState', `${JSON.stringify(key)} is archived`, restoreRemedy(read.restore));
    case 'unreadable':
      throw fail('Unreadable', `${JSON.stringify(key)}: ${read.why}`, 'look what wrote it');
    case 'gone':
      throw fail('NoSuchKey', `${JSON.stringify(key)} was removed meanwhile`, 'look what removed it');
    default:
      return read satisfies never;
  }
}

export function restoreRemedy(restore: string | undefined): string {
  return `restore it, and run this again some hours later: ${restore ?? 'ask who keeps the bucket'}`;
}
