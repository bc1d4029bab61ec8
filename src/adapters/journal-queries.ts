import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Clock } from '../ports/clock.ts';
import { TransitionGroup } from './journal-group.ts';
import type { Row, Value } from './journal-rows.ts';

/** What the query files share: statements by their text, prepared once, and transitions that are all or nothing. */
export interface Queries {
  /** To read with; what writes goes through the others, which remember it until it is on disk. */
  statement(sql: string): StatementSync;
  run(sql: string, ...values: Value[]): void;
  /** The first row of a statement that writes and says what it wrote. */
  returning(sql: string, ...values: Value[]): Row | undefined;
  transaction<T>(work: () => T): T;
  synced(): Promise<void>;
  close(): void;
}

export function createQueries(database: DatabaseSync, clock: Clock): Queries {
  const group = new TransitionGroup(database, clock);
  return {
    statement: (sql) => group.read(sql),
    run: (sql, ...values) => {
      group.write(sql, values);
    },
    returning: (sql, ...values) => group.write(sql, values),
    transaction: (work) => group.transition(work),
    synced: () => group.synced(),
    close: () => group.close(),
  };
}
