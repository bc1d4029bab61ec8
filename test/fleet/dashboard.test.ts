import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { noPromtool, runPromtool } from '../support/promtool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { unknownIn } from './asked-metrics.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}

interface Dashboard {
  readonly schemaVersion: number;
  readonly id: null;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const file = join(import.meta.dirname, '..', '..', 'config', 'grafana', 'dashboard.json');
const dashboard: Dashboard = JSON.parse(readFileSync(file, 'utf8'));
const { panels } = dashboard;
const charts = panels.filter(({ type }) => type !== 'row');
const queries = charts.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
const variables = dashboard.templating.list;

describe('config/grafana/dashboard.json', () => {
  test('asks for metrics, labels and values that exist', () => {
    const asked = [...queries.map(({ expr }) => expr), ...variables.map(({ definition = '' }) => definition)];
    expect(asked.flatMap(unknownIn)).toEqual([]);
  });

  test('has a chart for all that a fleet is judged by', () => {
    const text = queries.map(({ expr }) => expr).join('\n');
    const needed = `report_level report_finding backlog_bytes backlog_oldest_age_seconds parked_files
      uploaded_bytes_total uploaded_files_total failures_total retries_total sessions_ended_total
      credentials_expiry_timestamp_seconds disk_free_bytes destination_blocked_info`;
    for (const name of needed.split(/\s+/)) expect(text).toContain(`trainlogd_${name}`);
    expect(charts.filter(({ targets = [] }) => targets.length === 0)).toEqual([]);
    expect(charts.filter(({ description = '' }) => description === '')).toEqual([]);
  });

  test('all jobs are those of trainlogd: others that the same Prometheus scrapes are up, too', () => {
    const job = variables.find(({ name }) => name === 'job');
    expect(job).toMatchObject({ definition: 'label_values(trainlogd_build_info, job)', includeAll: true });
    expect(job).not.toHaveProperty('allValue');
  });

  test('asks the chosen Prometheus for the chosen hosts, and uses no variable that it has not', () => {
    for (const { datasource, targets = [] } of charts) {
      const uids = [datasource?.uid, ...targets.map((target) => target.datasource.uid)];
      expect(uids.filter((uid) => !/^\$\{datasource\}$/.test(uid ?? ''))).toEqual([]);
    }
    const known = new Set([...variables.map(({ name }) => name), '__rate_interval']);
    for (const { title, expr } of queries) {
      const selectors = expr.match(/\b(?:trainlogd_\w+|up)\b(?:\{[^}]*\})?/g) ?? [];
      for (const selector of selectors)
        expect(selector, title).toContain('{job=~"$job", instance=~"$instance"');
      for (const [, name = ''] of expr.matchAll(/\$\{?(\w+)/g)) expect(known, title).toContain(name);
    }
  });

  test('can be imported: no id of another Grafana, panels with ids of their own, none on another', () => {
    expect(dashboard).toMatchObject({ id: null, schemaVersion: 39 });
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (const cell of cellsOf(gridPos)) {
        expect(taken.get(cell), `${title} lies on another`).toBeUndefined();
        taken.set(cell, title);
      }
    }
  });

  test('asks in a language that promtool understands', async ({ skip }) => {
    skip(noPromtool !== undefined, noPromtool);
    const said = await checkQueries(queries.map(({ expr }) => expr));
    expect(said).toContain(`SUCCESS: ${queries.length} rules found`);
    expect(await checkQueries(['sum(trainlogd_parked_files'])).toContain('FAILED');
  });
});

function cellsOf({ x, y, w, h }: Panel['gridPos']): string[] {
  return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);
}

/** As recording rules, with what Grafana puts in the place of its variables. */
async function checkQueries(exprs: readonly string[]): Promise<string> {
  const filled = exprs.map((expr) =>
    expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$(job|instance)/g, '.*'),
  );
  const rules = filled.map((expr, number) => ({ record: `query:${number}`, expr }));
  const path = join(await temporaryDirectory(), 'queries.yaml');
  await writeFile(path, stringify({ groups: [{ name: 'dashboard', rules }] }));
  return runPromtool('check', 'rules', path).said;
}
