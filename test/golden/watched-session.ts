import { formatReaders } from '../../src/formats/registry.ts';
import { surveyFolder } from '../../src/services/folder-survey.ts';
import type { FolderLooks } from '../../src/services/metered-source.ts';
import { RootRecognition } from '../../src/services/root-recognition.ts';
import { type SessionReading, SessionReadings } from '../../src/services/session-reading.ts';
import { MemoryFolder } from '../fakes/memory-folder.ts';

/** Sessions of real runs as one agent sees them, in memory. */

export type Files = ReadonlyMap<string, Buffer>;

const noSignal = new AbortController().signal;
export const writtenAtMs = Date.UTC(2026, 0, 31, 12);

export interface SessionFilesOf {
  readonly root: string;
  readonly files: Files;
}

/** Which sessions these files make. */
export async function sessionsIn(files: Files): Promise<SessionFilesOf[]> {
  const folder = new MemoryFolder();
  for (const [path, bytes] of files) folder.write(path, bytes);
  const recognition = new RootRecognition(folder, formatReaders);
  const rules = { recognition, matches: undefined, frozen: () => false, depthMax: 6 };
  const manner = { oneFile: async () => undefined, isLast: () => false };
  const found: SessionFilesOf[] = [];
  const looks: FolderLooks = folder;
  for await (const { sessions } of surveyFolder(looks, rules, manner, noSignal)) {
    for (const { root, files: own } of sessions) {
      const bytes = own.map(({ path }) => [path, files.get(path) ?? Buffer.alloc(0)] as const);
      found.push({ root: root.path, files: new Map(bytes) });
    }
  }
  return found;
}

export type WhatIsKnown = Pick<SessionReading, 'sources' | 'endings' | 'warnings' | 'documents'>;

/** One session under the eyes of one agent. */
export class Watched {
  readonly folder = new MemoryFolder();
  readonly #root: string;
  #readings: SessionReadings;

  constructor(root: string) {
    this.#root = root;
    this.#readings = this.#begin();
  }

  #begin(): SessionReadings {
    return new SessionReadings({ source: this.folder, readers: formatReaders, oneFile: () => undefined });
  }

  restart(): void {
    this.#readings = this.#begin();
  }

  async look(): Promise<WhatIsKnown> {
    const listing = await this.folder.scan('', noSignal);
    const files = listing?.entries.filter(({ kind }) => kind === 'file') ?? [];
    const reading = await this.#readings.read(
      { root: this.#root, kind: 'directory', files },
      { toEnd: true },
    );
    const { sources, endings, warnings, documents } = reading;
    return { sources, endings, warnings, documents };
  }

  /** As it is at the end, whatever led there. */
  async last(): Promise<WhatIsKnown> {
    const listing = await this.folder.scan('', noSignal);
    for (const { kind, path } of listing?.entries ?? [])
      if (kind === 'file') this.folder.touch(path, writtenAtMs);
    return this.look();
  }
}
