import { quotePath, type WatchedPath } from '../domain/watched-path.ts';
import type { Events } from '../ports/events.ts';
import type { Entry } from '../ports/file-source.ts';
import type { Survey } from './folder-survey.ts';

type Notes = Pick<Survey, 'loose' | 'problems' | 'empty'>;

/** How many different things are told at all; more of one kind is one trouble. */
const toldMax = 1000;

/** What the last looks met beside sessions: told once, and there to be asked for. */
export class SurveyNotes {
  readonly #events: Events;
  readonly #told = new Set<string>();
  #byTop = new Map<WatchedPath, Notes>();

  constructor(events: Events) {
    this.#events = events;
  }

  clear(): void {
    this.#byTop = new Map();
  }

  take({ top, loose, problems, empty }: Survey): void {
    this.#byTop.set(top, { loose, problems, empty });
    for (const { path, code, remedy } of problems) {
      const shown = quotePath(path === '' ? '.' : path);
      if (this.#isNews(`${code} ${path}`)) this.#events.emit('folder.problem', { path: shown, code, remedy });
    }
    // Straight in the folder lies what people keep there; beside sessions it may be what they think is shipped.
    const [first] = top === '' ? [] : loose;
    if (first && this.#isNews(`loose ${top}`)) {
      this.#events.emit('folder.loose', {
        path: quotePath(top),
        count: loose.length,
        example: quotePath(first.path),
      });
    }
  }

  #isNews(what: string): boolean {
    if (this.#told.has(what) || this.#told.size >= toldMax) return false;
    this.#told.add(what);
    return true;
  }

  loose(): readonly Entry[] {
    return [...this.#byTop.values()].flatMap((notes) => notes.loose);
  }

  problems(): Survey['problems'] {
    return [...this.#byTop.values()].flatMap((notes) => notes.problems);
  }

  /** Directories that will be sessions once something is written in them. */
  empty(): readonly WatchedPath[] {
    return [...this.#byTop.values()].flatMap((notes) => notes.empty);
  }
}
