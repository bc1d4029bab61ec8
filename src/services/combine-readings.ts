import { disagreements } from '../domain/disagreements.ts';
import { type Beginning, begunAtMs } from '../domain/earlier-run.ts';
import type { FileFailure } from '../domain/failure.ts';
import type { JsonValue } from '../domain/json.ts';
import type { FactSource } from '../domain/merge-facts.ts';
import { displayPath, quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { Assessment, Ending, FileInfo } from '../formats/reader.ts';

/** What all readers together say of one session. */
export interface SessionReading {
  readonly sources: readonly FactSource[];
  readonly endings: readonly Ending[];
  /** A training was begun, or went on, after what told of an end. */
  readonly goesOn: boolean;
  readonly documents: Readonly<Record<string, JsonValue>>;
  readonly warnings: readonly string[];
  /** Relative to the root: kept whole in the log, no companions. */
  readonly native: ReadonlySet<WatchedPath>;
  /** Relative to the root: opening them failed. */
  readonly unreadable: readonly { readonly path: WatchedPath; readonly failure: FileFailure }[];
  /** A file could not be read just now: what is said here may be less than what there is. */
  readonly again: boolean;
  /** There is more to read of long files: the next look goes on. */
  readonly behind: boolean;
  readonly nativeId: string | undefined;
  readonly nativeStartedAt: string | undefined;
  readonly nativeStartedBy: string | undefined;
  /** What was written before says nothing of how this run ended. */
  readonly begunAtMs: number;
}

/** What one reader says of a session. */
export interface ReaderPart {
  readonly name: string;
  readonly assessment: Assessment | undefined;
  /** Files that are kept in the log, no companions. */
  readonly native: readonly WatchedPath[];
  readonly failed: readonly { readonly path: WatchedPath; readonly failure: FileFailure }[];
  /** Of the reading itself, beside those of the assessment. */
  readonly warnings: readonly string[];
  readonly behind: boolean;
}

export const emptyPart = { assessment: undefined, native: [], failed: [], warnings: [], behind: false };

/** In the order in which their facts and endings count. `files` are those of the session, where it is a directory. */
export function combine(parts: readonly ReaderPart[], files: readonly FileInfo[] = []): SessionReading {
  const unreadable = [
    ...new Map(parts.flatMap(({ failed }) => failed.map((one) => [one.path, one]))).values(),
  ];
  const failed = new Set(unreadable.map(({ path }) => path));
  const sources = parts.flatMap(({ name, assessment }) =>
    assessment ? [{ source: name, facts: assessment.facts, provenance: assessment.provenance }] : [],
  );
  const assessments = parts.flatMap(({ assessment }) => assessment ?? []);
  const isPieced = assessments.some(({ facts }) => facts.isPieced === true);
  const starter = assessments.find(({ facts }) => facts.startedAt !== undefined);
  const begun = begunAtMs(beginningOf(starter, files));
  const isEarlier = ({ by }: Ending) => by !== 'result.json' && writtenAtMs(by, files) < begun;
  const told = assessments.flatMap(({ ending }) => ending ?? []);
  const endings = told.filter((ending) => !isEarlier(ending));
  return {
    sources: isPieced ? sources.map(withoutPrintedTime) : sources,
    endings,
    goesOn: endings.length === 0 && assessments.some(({ goesOn }) => goesOn === true),
    documents: Object.assign({}, ...assessments.map(({ documents }) => documents)),
    warnings: [
      ...parts.flatMap(({ assessment, warnings }) => [...(assessment?.warnings ?? []), ...warnings]),
      ...disagreements(sources),
      ...disagreement(endings),
      ...told.filter(isEarlier).map(({ by }) => `${by}: tells the end of an earlier run in this directory`),
      ...unreadable.map(({ path, failure }) => `${quotePath(path)}: ${failure.message}`),
    ],
    native: new Set(parts.flatMap(({ native }) => native).filter((path) => !failed.has(path))),
    unreadable,
    again: unreadable.some(({ failure }) => isPassing(failure)),
    behind: parts.some(({ behind }) => behind),
    nativeId: assessments.find(({ facts }) => facts.id !== undefined)?.facts.id,
    nativeStartedAt: starter?.facts.startedAt,
    nativeStartedBy: starter?.provenance['session.startedAt'],
    begunAtMs: begun,
  };
}

/** What a log says of the time is its own process's. */
function withoutPrintedTime(from: FactSource): FactSource {
  if (from.source !== 'plain-log' || from.facts.results === undefined) return from;
  const { durationSeconds: _, ...results } = from.facts.results;
  const { 'results.durationSeconds': __, ...provenance } = from.provenance;
  return { ...from, facts: { ...from.facts, results }, provenance };
}

function beginningOf(starter: Assessment | undefined, files: readonly FileInfo[]): Beginning {
  const timeOf = (name: string) => files.find(({ path }) => path === name)?.modifiedAtMs;
  const startedAt = starter?.facts.startedAt;
  const writtenAt =
    starter?.provenance['session.startedAt'] === 'session.json' ? timeOf('session.json') : undefined;
  const session =
    startedAt === undefined || writtenAt === undefined
      ? undefined
      : { startedAtMs: Date.parse(startedAt), writtenAtMs: writtenAt };
  return { pidAtMs: timeOf('session.pid'), session };
}

/** Never too early where the file is not known by that name. */
function writtenAtMs(by: string, files: readonly FileInfo[]): number {
  return files.find(({ path }) => displayPath(path) === by)?.modifiedAtMs ?? Number.POSITIVE_INFINITY;
}

/** That a run went well and that it did not, by two files of one session. */
function disagreement(endings: readonly Ending[]): string[] {
  const well = endings.find(({ status }) => status === 'completed');
  const other = endings.find(({ status }) => status !== 'completed');
  if (!well || !other || other.by === 'result.json' || well.by === 'result.json') return [];
  return [`session.status: "${well.by}" says completed, "${other.by}" says ${other.status}, which counts`];
}

/** It may be readable in a moment. */
export function isPassing({ reason }: FileFailure): boolean {
  return reason === 'changing';
}
