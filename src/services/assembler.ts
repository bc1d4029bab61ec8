import type { CompanionChoice } from '../domain/companion-filter.ts';
import type { Encoding } from '../domain/compression.ts';
import type { Seal } from '../domain/end-rule.ts';
import type { SessionDraft } from '../domain/session-draft.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import type { Clock } from '../ports/clock.ts';
import type { Events } from '../ports/events.ts';
import {
  type FileSource,
  type FileStat,
  fingerprintOf,
  inDoubt,
  withoutDoubt,
} from '../ports/file-source.ts';
import type { FileRecord, Journal, NewFile, SessionIdentity } from '../ports/journal.ts';
import { claimFile } from './claim-file.ts';
import { companionKeys } from './companion-keys.ts';
import { asKnown, cutBefore, withoutCut } from './cut-files.ts';
import { inferredSource, sealSource, withHistoryThinned, withoutSecrets } from './draft-sources.ts';
import type { SurveyedSession } from './folder-survey.ts';
import { identify } from './identify.ts';
import type { SessionPlace, SessionPlaces } from './session-places.ts';
import type { SessionReading, SessionReadings } from './session-reading.ts';
import { overdueUploads, snapshotFiles, unsentFiles } from './snapshot-files.ts';
import { type SessionFile, type SortedFiles, sortFiles } from './sort-files.ts';
import { isOnlyTouched } from './touched-file.ts';
import { shapeOf, type TrackedSession } from './tracked-session.ts';

const warningsMax = 200;

export interface AssemblerOptions {
  readonly source: FileSource;
  readonly journal: Journal;
  readonly readings: SessionReadings;
  readonly clock: Clock;
  /** As `identify` takes it. */
  readonly serverNowMs?: () => number;
  readonly events: Events;
  readonly choose: (path: WatchedPath, sizeBytes: number) => CompanionChoice;
  readonly keyTemplate: string;
  readonly folder: string;
  readonly agent: { readonly version: string; readonly host: string };
  /** Where sessions ran; what the configuration knows of that is in it. */
  readonly places: Pick<SessionPlaces, 'of'>;
  /** How files of ended sessions are packed on their way; absent: not at all. */
  readonly compression?: Encoding | 'none';
  /** Wall clock: when this host was started. */
  readonly bootedAtMs: () => number;
  /** Files of running sessions that are smaller are shipped whole; larger ones grow in the bucket. */
  readonly growsFromBytes: number;
}

/**
 * Makes of a session's files the next thing to ship: facts by precedence into a draft, companions into jobs, both into
 * the journal in one transaction. Dying before that transaction costs nothing but this work.
 */
export class Assembler {
  readonly #options: AssemblerOptions;

  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** Of a session that has ended: all that is there is queued. */
  async assemble(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    seal: Seal,
    isSettled: (path: WatchedPath) => boolean,
  ): Promise<{ changing: readonly WatchedPath[]; warnings: readonly string[] }> {
    const { journal } = this.#options;
    const { sid, identity, sorted, cut, known, draftOf } = await this.#sort(tracked, surveyed, isSettled);
    const { mayGoOn, ...journalled } = seal;
    const draft = draftOf(seal, mayGoOn ? [{ path: '.', reason: 'changing' }] : []);
    const files = await this.#queue(sid, identity, sorted, known);
    const changing = [...sorted.changing.map(({ path }) => path), ...(mayGoOn ? ['.'] : [])];
    const seen = [
      ...files,
      ...cut.map(({ file }) => newFile(file, 'companion', fingerprintOf(file.entry.stat))),
    ];
    const shape = changing.length > 0 ? '' : this.#shape(surveyed, seen);
    journal.enqueue(sid, { seal: journalled, shape, draft, files: [...files, ...cut.map(asKnown)] });
    const asFound = cut.map(({ file: { entry } }) => [entry.path, fingerprintOf(entry.stat)] as const);
    tracked.forgetFiles(shape, new Map(asFound));
    return { changing, warnings: draft.warnings };
  }

  /** Of a session that goes on: a log of it as it is. `withFiles`: small files go with it as they are, unclaimed. */
  async snapshot(
    tracked: TrackedSession,
    surveyed: SurveyedSession,
    { withFiles }: { withFiles: boolean },
  ): Promise<void> {
    const { journal, clock, growsFromBytes } = this.#options;
    const { sid, identity, sorted, known, draftOf } = await this.#sort(tracked, surveyed, () => true);
    const files = withFiles
      ? snapshotFiles(sorted, known, {
          growsFromBytes,
          overdue: overdueUploads(journal, sid, clock.nowMs()),
          keyOf: this.#keys(sid, identity, sorted, known, 'none'),
        })
      : [];
    const draft = draftOf(undefined, unsentFiles(sorted, known, files));
    journal.enqueue(sid, { seal: undefined, shape: '', draft, files });
  }

  async #sort(tracked: TrackedSession, surveyed: SurveyedSession, isSettled: (path: WatchedPath) => boolean) {
    const { journal, readings, choose } = this.#options;
    const { record } = tracked;
    if (!record)
      throw new Error(`session ${JSON.stringify(tracked.root)} is assembled before it is in the journal`);
    const { sid } = record;
    const reading = await readings.read({ root: tracked.root, kind: tracked.kind, files: surveyed.files });
    // The journal's word: the id may have been lost to another session in the bucket since.
    const frozen = journal.session(sid)?.identity;
    const identity = frozen ?? identify(this.#options, record, surveyed, reading);
    tracked.record = { ...record, identity };
    const known = new Map(journal.files(sid).map((row) => [row.path, row]));
    const isCut = cutBefore(this.#options.bootedAtMs(), this.#options.clock.nowMs());
    const isWritten = (row: FileRecord | undefined, stat: FileStat) =>
      !isOnlyTouched(row, stat) && !isCut(row, stat);
    const all = sortFiles(surveyed, reading, {
      choose,
      isSettled: ({ path, entry }) => isSettled(entry.path) || !isWritten(known.get(path), entry.stat),
    });
    const { sorted, cut } = withoutCut(all, known, isCut);
    const placed = { root: tracked.root, kind: tracked.kind, files: surveyed.files };
    const place = await this.#options.places.of(placed, tracked, reading.sources);
    const draftOf = (seal: Seal | undefined, unsent: SessionDraft['missing']) =>
      this.#draft(surveyed, reading, place, sorted, seal, unsent);
    return { sid, identity, sorted, cut, known, draftOf };
  }

  async #queue(
    sid: number,
    identity: SessionIdentity,
    sorted: SortedFiles,
    known: ReadonlyMap<WatchedPath, FileRecord>,
  ): Promise<NewFile[]> {
    const { source, compression = 'none' } = this.#options;
    const keyOf = this.#keys(sid, identity, sorted, known, compression);
    const files: NewFile[] = [];
    for (const file of sorted.companions) {
      const key = keyOf({ path: file.path, sizeBytes: file.entry.stat.sizeBytes });
      const row = known.get(file.path);
      const fingerprint = fingerprintOf(file.entry.stat);
      const isThere =
        row?.fingerprint === fingerprint && (row.state === 'uploaded' || row.state === 'parked');
      const isTouched = !isThere && isOnlyTouched(row, file.entry.stat);
      const claimed = isThere || isTouched ? undefined : await claimFile(source, sid, file, row);
      files.push({
        ...newFile(
          file,
          'companion',
          isTouched ? inDoubt(fingerprint) : (claimed?.fingerprint ?? fingerprint),
        ),
        key,
        claim: claimed?.claim ?? row?.claim,
      });
    }
    for (const file of sorted.others) files.push(newFile(file, 'other', fingerprintOf(file.entry.stat)));
    // No fingerprint: whatever is there at the next look is news.
    for (const file of sorted.changing) files.push(newFile(file, 'other', ''));
    return files;
  }

  #keys(
    sid: number,
    identity: SessionIdentity,
    { companions }: SortedFiles,
    known: ReadonlyMap<WatchedPath, FileRecord>,
    wanted: Encoding | 'none',
  ) {
    const { journal, keyTemplate } = this.#options;
    const isOpen = (path: WatchedPath) => journal.openUpload(sid, path) !== undefined;
    return companionKeys({ keyTemplate, identity, known, companions, wanted, isOpen });
  }

  #shape(surveyed: SurveyedSession, files: readonly NewFile[]): string {
    const fingerprints = new Map(files.map((file) => [file.path, withoutDoubt(file.fingerprint)]));
    const prefix = surveyed.root.path === '' ? '' : `${surveyed.root.path}/`;
    return shapeOf(
      surveyed.files.map((entry) => {
        const path = surveyed.root.kind === 'file' ? (files[0]?.path ?? '') : entry.path.slice(prefix.length);
        return [entry.path, fingerprints.get(path) ?? ''];
      }),
    );
  }

  #draft(
    surveyed: SurveyedSession,
    reading: SessionReading,
    place: SessionPlace,
    sorted: SortedFiles,
    seal: Seal | undefined,
    unsent: SessionDraft['missing'],
  ): SessionDraft {
    const { agent } = this.#options;
    const told = [...reading.sources, ...sealSource(seal), ...place.told];
    const sources = withHistoryThinned(told, seal !== undefined);
    const clean = withoutSecrets(reading.documents, sources);
    const unreadable = reading.unreadable.map(({ path }) => ({
      path: displayPath(path),
      reason: 'unreadable' as const,
    }));
    return {
      name: displayPath(surveyed.root.path === '' ? this.#options.folder : surveyed.root.path),
      status: seal?.status ?? 'running',
      ...(seal && { sealedBy: seal.by }),
      agent,
      sources: clean.sources,
      ...(place.otherwise && { defaults: place.otherwise }),
      inferred: inferredSource(surveyed, seal),
      documents: clean.documents,
      excluded: sorted.excluded,
      checkpoints: sorted.checkpoints,
      missing: [...unsent, ...sorted.missing, ...unreadable],
      warnings: someOf([...reading.warnings, ...place.warnings, ...sorted.warnings, ...clean.warnings]),
    };
  }
}

/** A file of a thousand mistakes is one trouble. */
function someOf(warnings: readonly string[]): string[] {
  if (warnings.length <= warningsMax) return [...warnings];
  return [...warnings.slice(0, warningsMax), `and ${warnings.length - warningsMax} more warnings`];
}

function newFile(file: SessionFile, role: NewFile['role'], fingerprint: string): NewFile {
  return {
    path: file.path,
    role,
    key: '',
    sizeBytes: file.entry.stat.sizeBytes,
    fingerprint,
    claim: undefined,
  };
}
