import { FileFailure } from '../domain/failure.ts';
import { displayPath, type WatchedPath } from '../domain/watched-path.ts';
import {
  type Assessment,
  type FileInfo,
  type FormatReader,
  nothing,
  type ReadFile,
  type Selection,
  type SessionView,
  UnreadableFile,
} from '../formats/reader.ts';
import type { Entry, FileSource } from '../ports/file-source.ts';
import type { ReaderPart } from './combine-readings.ts';
import { createFileState, type FileState } from './file-states.ts';

/** What all readers remember of one session's files. */
export class ReaderStates {
  readonly #source: FileSource;
  readonly #states = new Map<string, { state: FileState; isUsed: boolean }>();

  constructor(source: FileSource) {
    this.#source = source;
  }

  begin(): void {
    for (const one of this.#states.values()) one.isUsed = false;
  }

  forgetUnused(): void {
    for (const [key, { isUsed }] of this.#states) if (!isUsed) this.#states.delete(key);
  }

  /** Undefined when the reader has no say: nothing in the session is of its kind. */
  async read(
    reader: FormatReader,
    view: SessionView,
    files: ReadonlyMap<WatchedPath, { readonly entry: Entry; readonly info: FileInfo }>,
    budget: { bytes: number },
  ): Promise<ReaderPart | undefined> {
    const selections = guarded(reader, [], () => reader.select(view.files));
    if (selections.value.length === 0 && selections.warnings.length === 0) return undefined;
    const read: ReadFile[] = [];
    const native: WatchedPath[] = [];
    const failed: { path: WatchedPath; failure: FileFailure }[] = [];
    const warnings = [...selections.warnings];
    let behind = false;
    for (const selection of selections.value) {
      const file = files.get(selection.path);
      if (!file) continue;
      const look = await this.#state(reader, selection).look(
        this.#source,
        file.entry,
        file.info,
        budget.bytes,
      );
      budget.bytes = Math.max(0, budget.bytes - look.bytesRead);
      behind ||= look.behind;
      if (look.read) read.push(look.read);
      if (look.problem instanceof FileFailure) failed.push({ path: selection.path, failure: look.problem });
      else if (look.problem)
        warnings.push(warningOf(reader, selection, look.problem, look.read !== undefined));
      // What the log cannot hold as it is now is sent as it is.
      else if (selection.keep === 'native' && look.read) native.push(selection.path);
    }
    const assessed = guarded<Assessment>(reader, nothing, () =>
      read.length > 0 ? reader.assess(read, view) : nothing,
    );
    warnings.push(...assessed.warnings);
    return { name: reader.name, assessment: assessed.value, native, failed, warnings, behind };
  }

  #state(reader: FormatReader, selection: Selection): FileState {
    const key = `${reader.name}\0${selection.manner}\0${selection.path}`;
    const known = this.#states.get(key) ?? { state: createFileState(selection), isUsed: true };
    known.isUsed = true;
    this.#states.set(key, known);
    return known.state;
  }
}

function warningOf(reader: FormatReader, selection: Selection, problem: Error, wasRead: boolean): string {
  const path = displayPath(selection.path);
  if (!(problem instanceof UnreadableFile)) return `${path}: ${mistakeOf(reader, problem)}`;
  const native = selection.keep === 'native' ? ', ships as a companion' : '';
  const before = wasRead ? ', what it said before counts' : '';
  return `${path}: cannot be read${native}${before}: ${problem.message}`;
}

/** A reader's own mistake costs what it would have said, and is told; the session ships all the same. */
function guarded<T>(reader: FormatReader, otherwise: T, run: () => T): { value: T; warnings: string[] } {
  try {
    return { value: run(), warnings: [] };
  } catch (error) {
    const problem = error instanceof Error ? error : new Error(String(error));
    return { value: otherwise, warnings: [mistakeOf(reader, problem)] };
  }
}

function mistakeOf(reader: FormatReader, { message }: Error): string {
  return `the reader "${reader.name}" made a mistake, please report it: ${message.slice(0, 200)}`;
}
