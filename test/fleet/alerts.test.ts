import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { noPromtool, runPromtool } from '../support/promtool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { type AlertCase, alertCases, evaluationInterval, healthy, type Series } from './alert-cases.ts';
import { unknownIn } from './asked-metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const project = join(import.meta.dirname, '..', '..');
const file = join(project, 'config/prometheus/alerts.yaml');
const rules: readonly Rule[] = parse(readFileSync(file, 'utf8')).groups.flatMap(
  ({ rules: own }: { rules: Rule[] }) => own,
);
const names = [...new Set(rules.map(({ alert }) => alert))];
const manual = readFileSync(join(project, 'docs/operate.md'), 'utf8');

describe('config/prometheus/alerts.yaml', () => {
  test('asks for metrics, labels and values that exist', () => {
    expect(rules.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
  });

  test('says for each alert how bad it is, which host, what to do, and where to read on', () => {
    for (const { alert, labels, annotations } of rules) {
      expect(['warning', 'critical'], alert).toContain(labels['severity']);
      if (alert !== 'TrainlogdNowhere')
        expect(annotations['summary'], alert).toContain('{{ $labels.instance }}');
      expect(annotations['description'], alert).toContain(`(docs/operate.md#${alert.toLowerCase()})`);
    }
  });

  test('has a section in docs/operate.md for every alert, and no other', () => {
    const sections = [...manual.matchAll(/^### (Trainlogd\w+)$/gm)].map(([, name]) => name);
    expect(sections).toEqual(names);
  });

  test('is accepted by promtool', ({ skip }) => {
    skip(noPromtool !== undefined, noPromtool);
    const { code, said } = runPromtool('check', 'rules', file);
    expect(said).toContain(`SUCCESS: ${rules.length} rules found`);
    expect(code).toBe(0);
  });

  test('fires each alert for the host in trouble, and none for one that is well', async ({ skip }) => {
    skip(noPromtool !== undefined, noPromtool);
    expect(new Set([...Object.values(alertCases).map(({ alert }) => alert), 'TrainlogdNowhere'])).toEqual(
      new Set(names),
    );
    const cases = Object.entries(alertCases).map(([name, alertCase]) => promtoolCase(name, alertCase));
    const tests = [...cases, allIsWell, nobodyThere];
    const { code, said } = await fire(tests);
    expect(said).toContain('SUCCESS');
    expect(code).toBe(0);
  });

  test('is not passed by a wrong value, nor by an alert that does not fire', async ({ skip }) => {
    skip(noPromtool !== undefined, noPromtool);
    const { 'a full disk': full } = alertCases;
    if (!full) throw new Error('there is no case "a full disk"');
    const wrong = [
      { ...full, labels: { of: 'folder' } },
      { ...full, series: {} },
    ];
    for (const alertCase of wrong) expect((await fire([promtoolCase('wrong', alertCase)])).code).toBe(1);
  });
});

const well = 'node-1:9464';
const troubled = 'gpu-7:9464';
/** A host that gets its credentials by a role: they end within the hour, and nobody has to do anything. */
const withRole: Series = {
  ...healthy,
  trainlogd_credentials_renewable: '1+0x900',
  trainlogd_credentials_expiry_timestamp_seconds: '600+60x900',
};

/** It shipped its session and ended, between two looks. */
const ended: Series = {
  ...Object.fromEntries(
    Object.entries(healthy).map(([name, values]) => [name, values?.replace(/x900$/, 'x100 stale')]),
  ),
  trainlogd_backlog_oldest_age_seconds: '0+0x100 stale',
};

const allIsWell = {
  interval: '1m',
  input_series: [
    ...seriesOf(well, healthy),
    ...seriesOf('pod-1:9464', ended),
    ...seriesOf(troubled, withRole),
  ],
  alert_rule_test: [5, 30, 120, 800].flatMap((minute) => names.map((name) => silent(name, minute))),
};

const nobodyThere = {
  interval: '1m',
  input_series: [],
  alert_rule_test: [
    {
      ...silent('TrainlogdNowhere', 20),
      exp_alerts: [expected('TrainlogdNowhere', 'critical', { job: 'trainlogd' })],
    },
  ],
};

async function fire(tests: readonly object[]): Promise<{ code: number | null; said: string }> {
  const path = join(await temporaryDirectory(), 'alerts.test.yaml');
  await writeFile(path, stringify({ rule_files: [file], evaluation_interval: evaluationInterval, tests }));
  return runPromtool('test', 'rules', path);
}

/** Both hosts, of which one is in trouble: its alert, those that come with it, and no other. */
function promtoolCase(
  name: string,
  { alert, severity, series, at, value, labels, also = [] }: AlertCase,
): object {
  const found = { job: 'trainlogd', instance: troubled, ...labels };
  return {
    name,
    interval: '1m',
    input_series: [...seriesOf(well, healthy), ...seriesOf(troubled, { ...healthy, ...series })],
    alert_rule_test: [
      { ...silent(alert, at), exp_alerts: [expected(alert, severity, found, value)] },
      ...names.filter((other) => other !== alert && !also.includes(other)).map((other) => silent(other, at)),
    ],
  };
}

function silent(alertname: string, minute: number): object {
  return { eval_time: `${minute}m`, alertname, exp_alerts: [] };
}

/** Prometheus's templates, as far as they are used here. */
function expected(
  alert: string,
  severity: string,
  labels: Readonly<Record<string, string>>,
  value = '',
): object {
  const rule = rules.find((one) => one.alert === alert && one.labels['severity'] === severity);
  if (!rule) throw new Error(`there is no alert ${alert} of severity ${severity}`);
  const filled = Object.entries(rule.annotations).map(([name, text]) => [
    name,
    text
      .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? '')
      .replaceAll(/\{\{ \$value[^}]*\}\}/g, value),
  ]);
  return { exp_labels: { severity, ...labels }, exp_annotations: Object.fromEntries(filled) };
}

function seriesOf(instance: string, series: Series): object[] {
  return Object.entries(series).flatMap(([name, values]) => {
    if (values === undefined) return [];
    const own = `job="trainlogd", instance="${instance}"`;
    const full = name.endsWith('}') ? name.replace(/\}$/, `, ${own}}`) : `${name}{${own}}`;
    return [{ series: full, values }];
  });
}
