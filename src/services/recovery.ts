import { recoveredLog, unfinishedFiles, withoutListed } from '../domain/recovered-log.ts';
import { againAtMs, type FileEvidence, hostWroteMs, lookAtFile } from './recovery-evidence.ts';
import { type FileEnd, type Loss, recoverFile } from './recovery-files.ts';
import { type FoundLog, findLog, type RecoveryOptions, readLog, writeLog } from './recovery-log.ts';

export type { RecoveryOptions } from './recovery-log.ts';

/** What became of one file that the session's log misses. */
export type FileRecovery =
  | { readonly path: string; readonly outcome: 'completed'; readonly key: string; readonly bytes: number }
  | ({ readonly path: string; readonly outcome: 'lost' } & Loss)
  | ({ readonly path: string; readonly outcome: 'failed'; readonly denied: boolean } & Loss);

/**
 * `tooEarly`: the session's host may be alive, nothing was done. `unreadable`: something else lies where its log should.
 * `ended`: nothing is missing that anybody was to send.
 */
export type Recovery =
  | { readonly outcome: 'notFound' }
  | { readonly outcome: 'unreadable'; readonly key: string }
  | { readonly outcome: 'ended'; readonly key: string; readonly status: string }
  | {
      readonly outcome: 'tooEarly';
      readonly key: string;
      readonly wroteAtMs: number;
      readonly againAtMs: number;
    }
  | {
      readonly outcome: 'recovered';
      readonly key: string;
      readonly status: string;
      readonly revision: number;
      readonly files: readonly FileRecovery[];
    };

/**
 * Completes what a host that is lost had sent of its growing files, from any other, with no more rights than the host
 * had: the bucket holds all that is needed. Done twice, or cut off anywhere, it comes to the same.
 *
 *   invariant: no object that a log lists is replaced before that log names it as missing alone
 *   invariant: no log comes to claim that it is complete
 */
export async function recoverSession(
  options: RecoveryOptions,
  id: string,
  signal: AbortSignal,
): Promise<Recovery> {
  const known = await findLog(options, id, signal);
  if (!known) return { outcome: 'notFound' };
  const { key } = known;
  const found = await readLog(options.store, known, id, signal);
  if (!found) return { outcome: 'unreadable', key };
  const { status } = found.log.session;
  const unfinished = unfinishedFiles(found.log);
  if (unfinished.length === 0 && status !== 'running') return { outcome: 'ended', key, status };
  const files: FileEvidence[] = [];
  for (const { path } of unfinished) files.push(await lookAtFile(options, found, path, signal));
  const wroteAtMs = hostWroteMs(found, files);
  const fromMs = againAtMs(wroteAtMs, files, options);
  if (fromMs > options.clock.nowMs()) return { outcome: 'tooEarly', key, wroteAtMs, againAtMs: fromMs };
  return complete(options, found, files, wroteAtMs, signal);
}

async function complete(
  options: RecoveryOptions,
  found: FoundLog,
  files: readonly FileEvidence[],
  wroteAtMs: number,
  signal: AbortSignal,
): Promise<Recovery> {
  const { store } = options;
  const usable = new Set(files.filter(({ record }) => record).map(({ path }) => path));
  const mayBeReplaced = found.log.companions.some(({ path }) => usable.has(path));
  const at = mayBeReplaced
    ? await writeLog(store, found, withoutListed(found.log, usable), wroteAtMs, signal)
    : found;
  const ends = new Map<string, FileEnd>();
  for (const file of files) ends.set(file.path, await recoverFile(options, found, file, signal));
  const last = isNothingNew(ends) ? at : await writeEnds(options, at, ends, wroteAtMs, signal);
  const { status, revision } = last.log.session;
  const told = [...ends].map(([path, end]) => fileRecovery(path, end));
  return { outcome: 'recovered', key: last.object.key, status, revision, files: told };
}

/** Each failed this time: what the log says is still so. */
function isNothingNew(ends: ReadonlyMap<string, FileEnd>): boolean {
  return ends.size > 0 && [...ends.values()].every(({ outcome }) => outcome === 'failed');
}

function writeEnds(
  { store }: RecoveryOptions,
  at: FoundLog,
  ends: ReadonlyMap<string, FileEnd>,
  wroteAtMs: number,
  signal: AbortSignal,
): Promise<FoundLog> {
  const all = [...ends];
  const completed = new Map(
    all.flatMap(([path, end]) => (end.outcome === 'completed' ? [[path, end.entry]] : [])),
  );
  const lost = new Set(all.flatMap(([path, { outcome }]) => (outcome === 'lost' ? [path] : [])));
  const listed = new Set(at.log.companions.map(({ path }) => path));
  const kept = all.flatMap(([, end]) => (end.outcome === 'lost' && end.kept ? [end.kept] : []));
  const companions = [...at.log.companions, ...kept.filter(({ path }) => !listed.has(path))];
  const log = recoveredLog({ ...at.log, companions }, { completed, lost });
  return writeLog(store, at, log, wroteAtMs, signal);
}

function fileRecovery(path: string, end: FileEnd): FileRecovery {
  switch (end.outcome) {
    case 'completed':
      return { path, outcome: 'completed', key: end.entry.key, bytes: end.entry.bytes };
    case 'lost':
      return { path, outcome: 'lost', ...end.loss };
    case 'failed':
      return { path, outcome: 'failed', denied: end.denied, ...end.loss };
    default:
      return unreachable(end);
  }
}

function unreachable(value: never): never {
  throw new Error(`no such case: ${JSON.stringify(value)}`);
}
