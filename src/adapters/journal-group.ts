import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../ports/clock.ts';
import type { Row, Value } from './journal-rows.ts';

/** A burst of transitions costs one wait for the disk, and nobody waits longer than this for it on a quick disk. */
const spacingMinMs = 10;
/** On a slow disk, commits take at most one part in so many of the time: the whole process stands still in them. */
const spacingShare = 5;
/** What a loop without a pause records is committed in between, so that memory stays bounded. */
const changesMax = 5000;

interface Change {
  readonly sql: string;
  readonly values: readonly Value[];
}

/**
 * Transitions join one open transaction, which is committed a few milliseconds later.
 *
 *   none     nothing is open                               a transition → open
 *   open     a commit is due                               committed → none; it failed → failed
 *   failed   all that was rolled back is kept in `#redo`   any use does it again: → none, or throws as before
 *
 * invariant: `#redo` is all that was accepted since the last commit, in its order. Nobody else writes to the file, and
 * no statement depends on time or chance, so that doing it again gives the same rows.
 * invariant: while failed nothing is read: the file is behind what its callers were told.
 */
export class TransitionGroup {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #prepared = new Map<string, StatementSync>();
  readonly #closing = new AbortController();
  #isOpen = false;
  #isNested = false;
  #failure: { error: unknown } | undefined;
  #redo: Change[] = [];
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  #nextCommitMs = Number.NEGATIVE_INFINITY;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /** For reading. Sees every transition, committed or not. */
  read(sql: string): StatementSync {
    this.#mend();
    return this.#statement(sql);
  }

  /** One statement that writes, with the first row that it returns. Alone it is a transition. */
  write(sql: string, values: readonly Value[]): Row | undefined {
    this.#begin();
    try {
      const row = this.#statement(sql).get(...values);
      this.#redo.push({ sql, values });
      return row;
    } catch (error) {
      this.#noticeRollback(error);
      throw error;
    }
  }

  /** All of `work` or nothing, whatever else the group holds; one inside another is a part of it. */
  transition<T>(work: () => T): T {
    if (this.#isNested) return work();
    this.#begin();
    const accepted = this.#redo.length;
    this.#statement('SAVEPOINT transition').run();
    this.#isNested = true;
    try {
      const result = work();
      this.#statement('RELEASE transition').run();
      return result;
    } catch (error) {
      this.#redo.length = accepted;
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK TO transition; RELEASE transition');
      this.#noticeRollback(error);
      throw error;
    } finally {
      this.#isNested = false;
    }
  }

  /** Resolves when all that was accepted so far is on disk; rejects when its commit failed. */
  async synced(): Promise<void> {
    this.#mend();
    if (!this.#isOpen) return;
    await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Throws, with the file closed all the same, when what was accepted cannot be committed. */
  close(): void {
    this.#closing.abort();
    try {
      if (this.#isOpen) this.#commit();
      this.#mend();
    } finally {
      this.#database.close();
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known) return known;
    const made = this.#database.prepare(sql);
    this.#prepared.set(sql, made);
    return made;
  }

  #begin(): void {
    if (this.#isOpen && this.#redo.length >= changesMax && !this.#isNested) this.#commit();
    this.#mend();
    if (this.#isOpen) return;
    this.#database.exec('BEGIN IMMEDIATE');
    this.#isOpen = true;
    void this.#commitSoon();
  }

  async #commitSoon(): Promise<void> {
    await this.#clock.sleep(this.#nextCommitMs - this.#clock.monotonicMs(), this.#closing.signal);
    if (this.#isOpen) this.#commit();
  }

  #commit(): void {
    const startedMs = this.#clock.monotonicMs();
    try {
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#committed(startedMs);
  }

  #committed(startedMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#nextCommitMs = nowMs + Math.max(spacingMinMs, (nowMs - startedMs) * (spacingShare - 1));
    this.#isOpen = false;
    this.#redo = [];
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { resolve } of waiting) resolve();
  }

  /** A full disk makes SQLite roll the whole transaction back in the middle of it, others' transitions included. */
  #noticeRollback(error: unknown): void {
    if (!this.#database.isTransaction) this.#fail(error);
  }

  #fail(error: unknown): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
    this.#isOpen = false;
    this.#failure = { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(error);
  }

  /** After a failure: does again what was rolled back, and commits it. Throws while that is not possible. */
  #mend(): void {
    if (!this.#failure) return;
    const startedMs = this.#clock.monotonicMs();
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { sql, values } of this.#redo) this.#statement(sql).get(...values);
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#failure = undefined;
    this.#committed(startedMs);
  }
}
