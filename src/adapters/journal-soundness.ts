import { statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { migrate } from './journal-schema.ts';
import { JournalDamaged } from './journal-trouble.ts';

/**
 * A look at all pages takes about 5 ms for each MB that is in the system's cache. Larger files are not looked at as a
 * whole: their damage is found when it is met.
 */
export const wholeLookBytesMax = 32 * 1024 * 1024;

/** Columns that hold one of a few words. A word that is none of them would keep its row from ever being found again. */
const words: readonly (readonly [table: string, column: string, ...known: (string | number)[]])[] = [
  ['sessions', 'phase', 'open', 'shipping', 'shipped', 'parked', 'skipped', 'elsewhere'],
  ['sessions', 'kind', 'directory', 'file'],
  ['sessions', 'gone', 0, 1],
  ['files', 'state', 'pending', 'uploaded', 'parked', 'gone', 'deleted', 'none'],
  ['files', 'role', 'companion', 'other'],
  ['uploads', 'abandoned', 0, 1],
];

/** Throws JournalDamaged, or SQLite's own error. The file must be up to date; a larger one is not looked at as a whole. */
export function assertSound(database: DatabaseSync, file: string, bytesMax: number): void {
  const expected = expectedSchema();
  if (schemaOf(database) !== expected) throw new JournalDamaged('its tables are not those of this program');
  if (statSync(file).size > bytesMax) return;
  const found = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (found !== 'ok') throw new JournalDamaged(String(found));
  for (const [table, column, ...known] of words) {
    const others = `SELECT ${column} AS word FROM ${table} WHERE ${column} NOT IN (${known.map(() => '?').join(', ')}) LIMIT 1`;
    const other = database.prepare(others).get(...known);
    if (other) throw new JournalDamaged(`${table}.${column} holds ${JSON.stringify(other['word'])}`);
  }
}

function expectedSchema(): string {
  const fresh = new DatabaseSync(':memory:');
  try {
    migrate(fresh);
    return schemaOf(fresh);
  } finally {
    fresh.close();
  }
}

/** Made by SQLite for itself, when it is asked to: no part of what a version is. */
const ownTables = 'sqlite_stat%';

function schemaOf(database: DatabaseSync): string {
  return JSON.stringify(
    database
      .prepare(
        'SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE ? ORDER BY type, name',
      )
      .all(ownTables),
  );
}
