import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Journal } from '../ports/journal.ts';
import { fileQueries } from './journal-files.ts';
import { reportQueries } from './journal-reports.ts';
import type { Value } from './journal-rows.ts';
import { sessionQueries } from './journal-sessions.ts';
import { shippingQueries } from './journal-shipping.ts';

/** What the query files share: prepared statements by their text, and transactions that nest into one. */
export interface Queries {
  statement(sql: string): StatementSync;
  run(sql: string, ...values: Value[]): void;
  transaction<T>(work: () => T): T;
}

export function createSqliteJournal(database: DatabaseSync): Journal {
  const queries = createQueries(database);
  const meta = metaQueries(queries);
  return {
    writer: writerOf(meta),
    ...sessionQueries(queries),
    ...fileQueries(queries),
    ...shippingQueries(queries),
    ...reportQueries(queries),
    ...meta,
    close: () => database.close(),
  };
}

function createQueries(database: DatabaseSync): Queries {
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

function metaQueries(queries: Queries): Pick<Journal, 'getMeta' | 'setMeta'> {
  return {
    getMeta: (name) => {
      const value = queries.statement('SELECT value FROM meta WHERE name = ?').get(name)?.['value'];
      return typeof value === 'string' ? value : undefined;
    },
    setMeta: (name, value) =>
      queries.run(
        'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
        name,
        value,
      ),
  };
}

function writerOf(meta: Pick<Journal, 'getMeta' | 'setMeta'>): string {
  const known = meta.getMeta('writer');
  if (known !== undefined) return known;
  const drawn = randomBytes(8).toString('hex');
  meta.setMeta('writer', drawn);
  return drawn;
}
