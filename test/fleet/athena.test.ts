import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import type { SessionLog } from '../../src/domain/session-log.ts';
import { makePlace, type Place, runAgent, shippedLogs } from '../support/agent.ts';
import { companionBytesMax, dropSession, type FleetSession } from '../support/fleet-sessions.ts';
import { openSessionTable, type Row, type SessionTable } from '../support/session-queries.ts';
import { createTable, duckdbView } from './session-table.ts';

const directory = join(import.meta.dirname, '..', '..', 'config', 'athena');

test('create-table.sql has every field of the session log (vitest -u writes it anew)', async () => {
  await expect(createTable()).toMatchFileSnapshot(join(directory, 'create-table.sql'));
});

test('duckdb-view.sql has every field of the session log (vitest -u writes it anew)', async () => {
  await expect(duckdbView()).toMatchFileSnapshot(join(directory, 'duckdb-view.sql'));
});

/** The host that a drain takes this machine for. */
const machine = vi.hoisted(() => ({ name: '' }));
vi.mock('node:os', async (original) => ({ ...(await original<object>()), hostname: () => machine.name }));

const paces = { 'node-a': 1, 'node-b': 0.5, 'node-c': 1 } as const;
const sessionsPerHost = 16;
type Dropped = FleetSession & { readonly host: string };

test('what three hosts shipped is one table, and the queries beside it find what was dropped', async (context) => {
  const place = await makePlace();
  const dropped: Dropped[] = [];
  for (const [host, pace] of Object.entries(paces)) dropped.push(...(await shipFrom(host, pace, place)));
  const logs = shippedLogs(place);
  const table = await openSessionTable(context, place.destination);

  await expectEveryValue(table, logs);
  expect(logs.size).toBe(dropped.length);
  const began = dropped.map((one) => ({
    ...one,
    month: logs.get(one.name)?.session.startedAt.slice(0, 7) ?? '',
  }));
  expect(began).toMatchObject(dropped);

  for (const month of [undefined, '2026-02'] as const) {
    const here = began.filter((one) => month === undefined || one.month === month);
    const query = (file: string) => table.query(file, month && "year = '2026' AND month = '02'");
    const costs = await query('cost-per-user-and-month.sql');
    expect(Object.fromEntries(costs.map(costOf))).toEqual(costsOf(here));
    const namesIn = (rows: readonly Row[]) => rows.map(({ id }) => nameOf(id)).toSorted();
    const failed = await query('failed-runs.sql');
    const isFailed = ({ status }: FleetSession) => ['failed', 'interrupted'].includes(status);
    expect(namesIn(failed)).toEqual(namesOf(here.filter(isFailed)));
    expect(failed.filter(({ error }) => String(error).includes('OutOfMemory'))).toHaveLength(
      here.filter(({ status, hours }) => status === 'failed' && hours).length,
    );
    const missing = await query('missing-files.sql');
    expect(namesIn(missing)).toEqual(namesOf(here.filter((one) => one.missing)));
    expect(missing).toMatchObject(missing.map(() => ({ reason: 'tooLarge', path: 'dump.csv' })));
    const slowest = await query('slowest-gpus.sql');
    expect(
      slowest.map(({ host, percent_of_others: percent }) => [host, Math.round(Number(percent))]),
    ).toEqual([
      ['node-b', 50],
      ['node-a', 133],
      ['node-c', 133],
    ]);
  }
}, 120_000);

async function expectEveryValue(table: SessionTable, logs: ReadonlyMap<string, SessionLog>): Promise<void> {
  const rows = await table.sql('SELECT to_json(t) AS log FROM training_sessions t');
  expect(rows).toHaveLength(logs.size);
  for (const { log } of rows) {
    const { year, month, ...read } = JSON.parse(String(log));
    const written = logs.get(read.session.name);
    expect(withoutNull(withOneSpelling(read))).toEqual(withoutNull(withOneSpelling(written)));
    expect(`${year}-${month}`).toBe(written?.session.startedAt.slice(0, 7));
  }
}

/** A column has one type: cells of the history are text in the table, numbers in some spelling. */
function withOneSpelling(log: SessionLog | undefined): unknown {
  if (!log?.history) return log;
  const spell = (cell: string | number | null) => (Number.isNaN(Number(cell)) ? cell : cell && Number(cell));
  return { ...log, history: { ...log.history, rows: log.history.rows.map((row) => row.map(spell)) } };
}

/** What is absent in a log is null in a table. Nulls in lists keep their place. */
function withoutNull(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNull);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, held]) => held !== null);
  return Object.fromEntries(entries.map(([name, held]) => [name, withoutNull(held)]));
}

interface Cost {
  readonly sessions: number;
  readonly hours: number;
  readonly cost: number;
  readonly withoutCost: number;
}

function costOf(row: Row): [string, Cost] {
  const key = [`${row['year']}-${row['month']}`, row['username'], row['currency']].join(' ');
  const number = (name: string) => Number(row[name] ?? 0);
  // Of what ended by a marker or silence, only the files tell: no time at all.
  const [sessions, hours] = [number('sessions'), Math.round(number('hours') * 100) / 100];
  return [key, { sessions, hours, cost: number('cost'), withoutCost: number('sessions_without_cost') }];
}

function costsOf(sessions: readonly Dropped[]): Record<string, Cost> {
  const costs: Record<string, Cost> = {};
  for (const { month, user, hours = 0, cost } of sessions) {
    const key = [month, user ?? '(unknown)', cost === undefined ? null : 'EUR'].join(' ');
    const so = costs[key] ?? { sessions: 0, hours: 0, cost: 0, withoutCost: 0 };
    costs[key] = {
      sessions: so.sessions + 1,
      hours: so.hours + hours,
      cost: so.cost + (cost ?? 0),
      withoutCost: so.withoutCost + (cost === undefined ? 1 : 0),
    };
  }
  return costs;
}

const nameOf = (id: unknown) => /^node-.-\d{4}/.exec(String(id))?.[0] ?? String(id);
const namesOf = (sessions: readonly FleetSession[]) => sessions.map(({ name }) => name).toSorted();

/** Drops the sessions of one host and ships them as that host. */
async function shipFrom(host: string, pace: number, { env, ...place }: Place): Promise<Dropped[]> {
  machine.name = host;
  const folder = join(place.folder, host);
  await mkdir(folder);
  const sessions: Dropped[] = [];
  for (let number = 0; number < sessionsPerHost; number++)
    sessions.push({ host, ...(await dropSession(folder, host, number, pace)) });
  const own = {
    TRAINLOGD_WATCH_DIRECTORY: folder,
    TRAINLOGD_WATCH_RESCAN: '1m',
    TRAINLOGD_STATE_DIRECTORY: `${place.state}-${host}`,
    TRAINLOGD_COMPANIONS_BYTES_MAX: `${companionBytesMax}B`,
    TRAINLOGD_PROBES_CLOUD_METADATA: 'off',
  };
  const { exit, stderr } = await runAgent({ ...place, env: { ...env, ...own } }, ['drain', '--final']);
  if (exit !== 0) throw new Error(`drain as ${host}: exit ${exit}: ${stderr.slice(-2000)}`);
  return sessions;
}
