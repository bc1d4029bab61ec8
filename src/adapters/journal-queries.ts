import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Value } from './journal-rows.ts';

/** What the query files share: prepared statements by their text, and transactions that nest into one. */
export interface Queries {
  statement(sql: string): StatementSync;
  run(sql: string, ...values: Value[]): void;
  transaction<T>(work: () => T): T;
}

export function createQueries(database: DatabaseSync): Queries {
  const prepared = new Map<string, StatementSync>();
  let depth = 0;
  const statement = (sql: string): StatementSync => {
    const known = prepared.get(sql);
    if (known) return known;
    const made = database.prepare(sql);
    prepared.set(sql, made);
    return made;
  };
  return {
    statement,
    run: (sql, ...values) => {
      statement(sql).run(...values);
    },
    transaction: (work) => {
      if (depth > 0) return work();
      database.exec('BEGIN IMMEDIATE');
      depth++;
      try {
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      } finally {
        depth--;
      }
    },
  };
}
