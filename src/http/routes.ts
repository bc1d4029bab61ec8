import type { Clock } from '../ports/clock.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Report } from '../ports/report.ts';
import type { SessionViews } from '../ports/session-views.ts';
import type { Status } from '../ports/status.ts';
import { type Answer, json } from './answer.ts';
import { plainAssets } from './assets.ts';
import { alive, type Readiness, readiness } from './health.ts';
import { metricValues } from './metric-values.ts';
import { metricsAnswer } from './metrics.ts';
import { measureProcess } from './process-use.ts';
import { remembered } from './rate.ts';
import type { Route } from './router.ts';
import { noSessionPage, sessionPage } from './session-page.ts';
import { perPage } from './sessions-table.ts';
import { statusPage } from './status-page.ts';

export interface Served {
  readonly clock: Clock;
  readonly folder: string;
  readonly pid: number;
  readonly version: string;
  readonly status: () => Status;
  readonly report: () => Report | undefined;
  readonly counts: EventCounts;
  readonly sessions: SessionViews;
  readonly readiness: () => Readiness;
}

/** How old what is shown may be: asked for in between, it is not worked out again. */
const freshMs = 1000;
const pageMax = 10_000;

export function routesOf(of: Served): readonly Route[] {
  const { clock } = of;
  const status = remembered(clock, freshMs, of.status);
  const { style, script } = plainAssets;
  return [
    { for: 'open', path: '/healthz', answer: () => alive },
    { for: 'open', path: '/readyz', answer: () => readiness(of.readiness()) },
    { for: 'open', path: '/metrics', answer: remembered(clock, freshMs, metricsOf(of, status)) },
    { for: 'page', path: '/api/status', answer: () => json(status()) },
    { for: 'page', path: style.path, answer: () => style.answer },
    { for: 'page', path: script.path, answer: () => script.answer },
    { for: 'page', path: '/', answer: (_, query) => overview(of, status(), query) },
    {
      for: 'page',
      path: /^\/sessions\/([A-Za-z0-9][A-Za-z0-9._-]{0,127})$/,
      answer: ([id = '']) => oneSession(of, status(), id),
    },
  ];
}

function metricsOf(of: Served, status: () => Status): () => Promise<Answer> {
  return async () => {
    const measured = await measureProcess(of);
    const { report, clock } = of;
    return metricsAnswer(
      metricValues({ ...measured, status: status(), report: report(), nowMs: clock.nowMs() }),
    );
  };
}

function overview(
  { sessions, folder, report, clock }: Served,
  status: Status,
  query: URLSearchParams,
): Answer {
  const page = pageOf(query.get('page'));
  const body = statusPage({
    status,
    report: report(),
    sessions: {
      sessions: sessions.recentSessions(folder, (page - 1) * perPage, perPage),
      page,
      count: sessions.recentCount(folder),
    },
    nowMs: clock.nowMs(),
  });
  return { status: 200, type: 'html', body };
}

function oneSession({ sessions, folder, clock, version }: Served, { host }: Status, id: string): Answer {
  const view = sessions.sessionView(folder, id);
  if (!view) return { status: 404, type: 'html', body: noSessionPage({ id, host, version }) };
  return { status: 200, type: 'html', body: sessionPage({ view, host, version, nowMs: clock.nowMs() }) };
}

function pageOf(text: string | null): number {
  const page = /^\d{1,6}$/.test(text ?? '') ? Number(text) : 1;
  return Math.min(Math.max(1, page), pageMax);
}
