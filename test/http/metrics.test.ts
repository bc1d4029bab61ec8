import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type MetricName, metricNames, metricOf } from '../../src/http/metrics-catalogue.ts';
import type { Events } from '../../src/ports/events.ts';
import type { Report } from '../../src/ports/report.ts';
import { type ServedPage, serve, using } from '../support/http-server.ts';

/** Series of the text format: the value by name and labels. */
async function scrape(served: ServedPage): Promise<Map<string, number>> {
  const answer = await served.get('/metrics');
  expect(answer.status, await answer.clone().text()).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

const nameOf = (series: string) => series.replace(/\{.*$/, '') as MetricName;
const time = '2026-01-31T12:00:00.000Z';

const report: Report = {
  version: 1,
  at: time,
  host: 'node-1',
  folder: '/data/runs',
  destination: 's3://b',
  level: 'critical',
  findings: [
    { code: 'credentials.expiring', level: 'critical', finding: 'a' },
    { code: 'disk.free', level: 'warning', finding: 'b' },
    { code: 'disk.free', level: 'critical', finding: 'c' },
    { code: 'clock.ok', level: 'ok', finding: 'd' },
  ],
  sessions: { open: 0, shipping: 0, shipped: 0, skipped: 0, parkedFiles: 0 },
  backlog: { files: 1, bytes: 2, stuckSeconds: 30, bytesPerSecond: 5, drainSeconds: 7 },
  unfinishedUploads: { count: 0, bytes: 0 },
  disks: [
    { of: 'folder', freeBytes: 10, totalBytes: 20, freeInodes: 5 },
    { of: 'state', freeBytes: 11, totalBytes: 21 },
  ],
  watch: { state: 'present', looks: 3, lastLookAt: time, missedByEvents: 2 },
  credentials: { source: 'env', valid: false },
  lastSuccessAt: time,
};

/** Everything that can be known is. */
function tellAll(served: ServedPage): void {
  served.report = report;
  served.status = {
    credentials: { source: 'instance role', expiresAt: time, problem: 'expired' },
    blocked: { code: 'InvalidAccessKeyId', cause: 'c', remedy: 'r', sinceMs: 5000 },
    throttled: { requests: 1, of: 16 },
    clockBehindMs: -1500,
    elsewhere: [{ session: 's', host: 'node-2' }],
    uploads: [{ session: 's', path: 'p', sizeBytes: 100, sentBytes: 40, forMs: 10 }],
  };
}

describe('/metrics', () => {
  test('serves the whole catalogue and nothing else, with the labels that it names', async (context) => {
    const served = await serve(context);
    tellAll(served);
    const series = await scrape(served);
    expect(new Set([...series.keys()].map(nameOf))).toEqual(new Set(metricNames));
    for (const one of series.keys()) {
      const { labels = {} } = metricOf(nameOf(one));
      const found = [...one.matchAll(/(\w+)="([^"]*)"/g)];
      expect(found.map(([, name]) => name)).toEqual(Object.keys(labels));
      for (const [, name = '', value = ''] of found) {
        const known = (labels as Record<string, readonly string[] | 'any'>)[name];
        if (known !== 'any') expect(known).toContain(value);
      }
    }
  });

  test('leaves out what is not known', async (context) => {
    const served = await serve(context);
    const series = await scrape(served);
    for (const name of [
      'trainlogd_report_level',
      'trainlogd_credentials_valid',
      'trainlogd_credentials_expiry_timestamp_seconds',
      'trainlogd_last_success_timestamp_seconds',
      'trainlogd_backlog_stuck_seconds',
      'trainlogd_destination_blocked_info',
    ])
      expect([...series.keys()].map(nameOf)).not.toContain(name);
    expect(series.get('trainlogd_destination_blocked')).toBe(0);
    expect(series.get('trainlogd_backlog_files')).toBe(0);
  });

  test('gives values in base units', async (context) => {
    const served = await serve(context);
    tellAll(served);
    const series = await scrape(served);
    const seconds = Date.parse(time) / 1000;
    expect(Object.fromEntries(series)).toMatchObject({
      'trainlogd_build_info{version="0.1.0"}': 1,
      trainlogd_report_level: 2,
      trainlogd_report_timestamp_seconds: seconds,
      'trainlogd_report_findings{level="warning"}': 1,
      'trainlogd_report_findings{level="critical"}': 2,
      'trainlogd_report_finding{code="credentials.expiring"}': 2,
      'trainlogd_report_finding{code="disk.free"}': 2,
      trainlogd_state_usable: 1,
      trainlogd_credentials_valid: 0,
      trainlogd_credentials_expiry_timestamp_seconds: seconds,
      trainlogd_credentials_renewable: 1,
      trainlogd_credentials_renewal_failing: 1,
      trainlogd_destination_blocked: 1,
      'trainlogd_destination_blocked_info{code="InvalidAccessKeyId"}': 1,
      trainlogd_destination_blocked_seconds: 5,
      trainlogd_destination_throttled: 1,
      trainlogd_clock_offset_seconds: -1.5,
      'trainlogd_disk_free_bytes{of="folder"}': 10,
      'trainlogd_disk_free_inodes{of="folder"}': 5,
      'trainlogd_uploads_in_flight_bytes{of="sent"}': 40,
      trainlogd_watch_missed_by_events_total: 2,
      trainlogd_last_success_timestamp_seconds: seconds,
    });
    expect(series.get('trainlogd_disk_free_inodes{of="state"}')).toBeUndefined();
    expect(series.get('trainlogd_report_finding{code="clock.ok"}')).toBeUndefined();
  });

  test.each([
    ['environment', 0],
    ['.env file /etc/trainlogd/.env', 0],
    ['profile "default" in /root/.aws/credentials', 0],
    ['profile "default" in /root/.aws/config (SSO)', 1],
    ['web identity token /var/run/secrets/token', 1],
    ['container role', 1],
    ['instance role', 1],
  ])('credentials from %s: renewable is %i', async (source, expected) => {
    await using(async (served) => {
      served.status = { credentials: { source, expiresAt: time } };
      expect((await scrape(served)).get('trainlogd_credentials_renewable')).toBe(expected);
    });
  });

  test('counts what happens', async (context) => {
    const served = await serve(context);
    const lines = served.counter.counted<Events>({ emit: () => undefined });
    const before = Date.now();
    lines.emit('file.uploaded', { session: 's', path: 'p', key: 'k', sizeBytes: 100, durationMs: 1500 });
    lines.emit('file.uploaded', { session: 's', path: 'q', key: 'l', sizeBytes: 20, durationMs: 500 });
    lines.emit('session.sealed', { session: 's', status: 'failed', by: 'result.json' });
    lines.emit('session.sealed', { session: 's', status: '__proto__', by: 'result.json' });
    lines.emit('session.warning', { session: 's', warning: 'w', more: 2 });
    lines.emit('upload.retry', { session: 's', path: 'p', attempt: 1, delayMs: 1, code: 'c', cause: 'c' });
    const series = Object.fromEntries(await scrape(served));
    expect(series).toMatchObject({
      trainlogd_uploaded_files_total: 2,
      trainlogd_uploaded_bytes_total: 120,
      trainlogd_upload_duration_seconds_total: 2,
      'trainlogd_sessions_ended_total{status="failed"}': 1,
      'trainlogd_sessions_ended_total{status="completed"}': 0,
      trainlogd_session_warnings_total: 3,
      trainlogd_retries_total: 1,
      'trainlogd_failures_total{kind="transient"}': 1,
    });
    expect(series['trainlogd_last_success_timestamp_seconds']).toBeGreaterThanOrEqual(before / 1000);
  });

  test('a code that a server made up cannot become a label of its own', async (context) => {
    const served = await serve(context);
    served.status = { blocked: { code: 'x"} 1\nevil 1', cause: 'c', remedy: 'r', sinceMs: 1 } };
    const series = await scrape(served);
    expect(series.get('trainlogd_destination_blocked_info{code="other"}')).toBe(1);
  });
});

test('docs/metrics.md has every metric with its type, labels and meaning, and no other', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(trainlogd_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$/gm)];
  const documented = rows.map(([, name, type, labels, help]) => ({
    name,
    type,
    labels: labels?.trim(),
    help,
  }));
  const expected = metricNames.map((name) => {
    const { type, labels = {}, help } = metricOf(name);
    const words = Object.entries(labels).map(([label, values]) =>
      values === 'any' ? `\`${label}\`` : `\`${label}\`: ${values.map((value) => `\`${value}\``).join(' ')}`,
    );
    return { name, type, labels: words.join('; '), help };
  });
  const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }) =>
    String(a.name).localeCompare(String(b.name));
  expect(documented.sort(byName)).toEqual(expected.sort(byName));
  const named = [...text.matchAll(/trainlogd_\w+/g)].map(([name]) => name);
  expect(named.filter((name) => !metricNames.some((known) => known === name))).toEqual([]);
});
