import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Cleanup } from './trainlogd.ts';

/** Of numbers only what a double holds: what DuckDB writes as text is one here. */
export type Row = Readonly<Record<string, unknown>>;

export interface SessionTable {
  sql(text: string): Promise<Row[]>;
  /** One of config/athena, as it stands but for the lines that it has a spelling of DuckDB's for. */
  query(file: string, condition?: string): Promise<Row[]>;
}

const queries = join(import.meta.dirname, '..', '..', 'config', 'athena');
const read = (file: string) => readFileSync(join(queries, file), 'utf8');

/** The table that config/athena/duckdb-view.sql makes of the logs below a directory that a `file:` destination wrote. */
export async function openSessionTable(context: Cleanup, directory: string): Promise<SessionTable> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  context.onTestFinished(() => {
    connection.closeSync();
    instance.closeSync();
  });
  await connection.run(
    read('duckdb-view.sql').replaceAll('s3://BUCKET', () => directory.replaceAll("'", "''")),
  );
  const sql = async (text: string) => {
    const answer = await connection.runAndReadAll(text);
    return answer.getRowObjectsJson();
  };
  return { sql, query: (file, condition) => sql(forDuckdb(read(file), condition)) };
}

/** Does what the comments say: takes DuckDB's line instead of the one after it, and reads one month alone. */
function forDuckdb(text: string, condition?: string): string {
  const spelled = text.replace(/^-- The next line in DuckDB: (.*)\n.*\n/m, '$1\n');
  if (condition === undefined) return spelled;
  const limited = spelled.replace(
    /-- (WHERE|AND) year = '2026' AND month = '01'/,
    (_, word: string) => `${word} ${condition}`,
  );
  if (limited === spelled) throw new Error(`limit a query to ${condition}: it has no place for that`);
  return limited;
}
