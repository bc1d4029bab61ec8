import { isJsonObject, type JsonObject, type JsonValue } from '../domain/json.ts';
import { comparePaths, displayPath, type WatchedPath } from '../domain/watched-path.ts';
import { FactCollector } from './parts/fact-collector.ts';
import { joinHistories } from './parts/join-histories.ts';
import { closingMs, wentOnAfter } from './parts/later-activity.ts';
import { jsonBytesMax, parseLenientJson } from './parts/lenient-json.ts';
import { endingOfLogs } from './parts/log-ending.ts';
import { PlainLogFollower } from './parts/plain-log-follower.ts';
import { takeFacts } from './plain-log.ts';
import {
  type Ending,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  UnreadableFile,
} from './reader.ts';

/**
 * What torchrun keeps with `--log-dir`: `<run_id>_XXXXXXXX/attempt_<n>/<local rank>/{stdout.log,stderr.log,error.json}`
 * (torch.distributed.elastic: LogsSpecs and ErrorHandler.record_exception). An attempt is a restart by the agent.
 */

const filesMax = 64;
const layout = /^(.*\/)?attempt_(\d{1,6})\/(\d{1,5})\/(stdout\.log|stderr\.log|error\.json)$/;
const errorLengthMax = 4096;
const linesMax = 12;

export const torchrunReader: FormatReader = {
  name: 'torchrun',

  /** Its directory lies in or beside the output of the training, which is what makes a session. */
  recognise: () => undefined,

  select(files) {
    const placed = lastLaunch(files.flatMap(placeOf));
    // The last attempts, the lowest ranks.
    placed.sort((a, b) => b.attempt - a.attempt || a.rank - b.rank || comparePaths(a.path, b.path));
    return placed
      .slice(0, filesMax)
      .map(({ path, file }) =>
        file === 'error.json'
          ? { manner: 'whole', path, keep: 'companion', bytesMax: jsonBytesMax, parse: parseError }
          : { manner: 'append', path, keep: 'companion', follow: () => new PlainLogFollower() },
      );
  },

  assess(read, session) {
    // Also what could not be read yet tells that there was another launch, another attempt.
    const [newest] = lastLaunch(session.files.flatMap(placeOf)).sort((a, b) => b.attempt - a.attempt);
    if (newest === undefined) return nothing;
    const launched = read.flatMap(readPlaceOf).filter(({ launch }) => launch === newest.launch);
    const facts = new FactCollector();
    takeCurve(facts, launched);
    const current = launched.filter(({ attempt }) => attempt === newest.attempt);
    return facts.assessment(endingOf(current, session.files));
  },
};

interface Place {
  readonly path: WatchedPath;
  readonly modifiedAtMs: number;
  readonly launch: string;
  readonly attempt: number;
  readonly rank: number;
  readonly file: string;
}

interface ReadPlace extends Place {
  readonly log?: PlainLogFollower;
  readonly error?: RecordedError;
}

interface RecordedError {
  readonly text: string;
  /** Unix seconds. */
  readonly at: number | undefined;
}

function placeOf({ path, modifiedAtMs }: FileInfo): Place[] {
  const match = layout.exec(path);
  if (match === null) return [];
  const [, launch = '', attempt, rank, file = ''] = match;
  return [{ path, modifiedAtMs, launch, attempt: Number(attempt), rank: Number(rank), file }];
}

function readPlaceOf(read: ReadFile): ReadPlace[] {
  // `select` chose it: `follow` and `parseError` made what is remembered.
  const log = read.segments?.at(-1) as PlainLogFollower | undefined;
  const error = read.parsed as RecordedError | undefined;
  return placeOf(read).map((place) => ({ ...place, ...(log && { log }), ...(error && { error }) }));
}

/** A directory for each time that torchrun was called: the one that was written last. */
function lastLaunch<P extends Place>(places: readonly P[]): P[] {
  let last: P | undefined;
  for (const place of places) if (!last || place.modifiedAtMs > last.modifiedAtMs) last = place;
  return places.filter(({ launch }) => launch === last?.launch);
}

/** Attempts of the lowest rank that prints any, one after the other. */
function takeCurve(facts: FactCollector, places: readonly ReadPlace[]): void {
  const curves = places
    .flatMap(({ log, ...place }) => (log?.last ? [{ ...place, log }] : []))
    .sort(
      (a, b) => a.attempt - b.attempt || a.rank - b.rank || b.log.history.rowCount - a.log.history.rowCount,
    );
  const first = new Map<number, (typeof curves)[number]>();
  for (const curve of curves) if (!first.has(curve.attempt)) first.set(curve.attempt, curve);
  const last = [...first.values()].at(-1);
  if (last === undefined) return;
  facts.history(
    joinHistories([...first.values()].flatMap(({ log }) => log.history.build() ?? [])),
    last.path,
  );
  takeFacts(facts, last);
}

function endingOf(current: readonly ReadPlace[], files: readonly FileInfo[]): Ending | undefined {
  const errors = current
    .flatMap(({ error, ...place }) => (error ? [{ ...place, error }] : []))
    .filter(({ modifiedAtMs }) => !wentOnAfter(modifiedAtMs, files))
    // The first that failed took the others with it.
    .sort((a, b) => (a.error.at ?? Number.MAX_VALUE) - (b.error.at ?? Number.MAX_VALUE) || a.rank - b.rank);
  const [first] = errors;
  // The agent may make another attempt.
  if (first) {
    return { status: 'failed', by: displayPath(first.path), error: first.error.text, quietMs: closingMs };
  }
  const logs = current.flatMap(({ log, path, modifiedAtMs }) => (log ? [{ log, path, modifiedAtMs }] : []));
  return endingOfLogs(logs, files);
}

/** `{"message": {"message", "extraInfo": {"py_callstack", "timestamp"}}}`; older ones hold the message as a text. */
function parseError(bytes: Buffer): RecordedError {
  const { value } = parseLenientJson(bytes);
  const message = isJsonObject(value) ? own(value, 'message') : undefined;
  if (typeof message === 'string') return { text: message.slice(0, errorLengthMax), at: undefined };
  if (!isJsonObject(message)) throw new UnreadableFile('no error of torchrun: it has no message');
  const extra = own(message, 'extraInfo');
  const stack = isJsonObject(extra) ? own(extra, 'py_callstack') : undefined;
  const timestamp = isJsonObject(extra) ? Number(own(extra, 'timestamp')) : Number.NaN;
  const told = [own(message, 'message'), innermost(stack)].filter(
    (text) => typeof text === 'string' && text !== '',
  );
  if (told.length === 0) throw new UnreadableFile('no error of torchrun: its message is empty');
  return {
    text: told.join('\n').slice(0, errorLengthMax),
    at: Number.isFinite(timestamp) ? timestamp : undefined,
  };
}

function innermost(stack: JsonValue | undefined): string {
  if (typeof stack !== 'string') return '';
  return stack.slice(-errorLengthMax).trimEnd().split('\n').slice(-linesMax).join('\n').slice(-2048);
}

function own(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
