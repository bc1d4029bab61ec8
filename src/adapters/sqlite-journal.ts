import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '../ports/clock.ts';
import type { Journal } from '../ports/journal.ts';
import { fileQueries } from './journal-files.ts';
import { ledgerQueries } from './journal-ledger.ts';
import { outcomeQueries } from './journal-outcomes.ts';
import { createQueries, type Queries } from './journal-queries.ts';
import { recordedQueries } from './journal-recorded.ts';
import { reportQueries } from './journal-reports.ts';
import { retryQueries } from './journal-retry.ts';
import { sessionQueries } from './journal-sessions.ts';
import { shippingQueries } from './journal-shipping.ts';
import { viewQueries } from './journal-views.ts';
import { systemClock } from './system-time.ts';

export function createSqliteJournal(database: DatabaseSync, clock: Clock = systemClock): Journal {
  const queries = createQueries(database, clock);
  const meta = metaQueries(queries);
  return {
    writer: writerOf(meta),
    ...sessionQueries(queries),
    ...fileQueries(queries),
    ...shippingQueries(queries),
    ...outcomeQueries(queries),
    ...ledgerQueries(queries),
    ...retryQueries(queries),
    ...reportQueries(queries),
    ...viewQueries(queries),
    ...recordedQueries(queries),
    ...meta,
    hasDelivered: () =>
      queries
        .statement(
          `SELECT EXISTS (SELECT 1 FROM sessions WHERE revision > 0) OR EXISTS (SELECT 1 FROM uploads)
             OR EXISTS (SELECT 1 FROM files WHERE receipt IS NOT NULL) AS has`,
        )
        .get()?.['has'] === 1,
    synced: () => queries.synced(),
    close: () => queries.close(),
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
