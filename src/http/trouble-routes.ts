import type { Clock } from '../ports/clock.ts';
import type { EventCounts } from '../ports/event-counts.ts';
import type { Status } from '../ports/status.ts';
import { json, plain } from './answer.ts';
import { plainAssets } from './assets.ts';
import { attentionSection, verdict } from './attention.ts';
import { concernsOf } from './concerns.ts';
import { html } from './escape.ts';
import { alive } from './health.ts';
import { page } from './layout.ts';
import { troubledValues } from './metric-values.ts';
import { metricsAnswer } from './metrics.ts';
import { measureProcess } from './process-use.ts';
import { remembered } from './rate.ts';
import type { Route } from './router.ts';
import { nameHtml } from './words.ts';

export interface Troubled {
  readonly clock: Clock;
  readonly pid: number;
  readonly host: string;
  readonly folder: string;
  readonly version: string;
  readonly counts: EventCounts;
  readonly trouble: () => NonNullable<Status['trouble']>;
  /** Undefined: the journal cannot even be read. */
  readonly status: () => Status | undefined;
}

const freshMs = 1000;

/**
 * What is served while the state directory, or another place, cannot be used. The process is alive and waits, and a restart would not help:
 * it must not look dead to those who would restart it.
 */
export function troubledRoutes(of: Troubled): readonly Route[] {
  const { style, script } = plainAssets;
  const metrics = async () => metricsAnswer(troubledValues(await measureProcess(of)));
  return [
    { for: 'open', path: '/healthz', answer: () => alive },
    { for: 'open', path: '/readyz', answer: () => plain(503, `not ready: ${words(of)}`) },
    { for: 'open', path: '/metrics', answer: remembered(of.clock, freshMs, metrics) },
    { for: 'page', path: '/api/status', answer: () => statusAnswer(of) },
    { for: 'page', path: style.path, answer: () => style.answer },
    { for: 'page', path: script.path, answer: () => script.answer },
    { for: 'page', path: '/', answer: () => ({ status: 200, type: 'html', body: troublePage(of) }) },
    { for: 'page', path: /^\/sessions\//, answer: () => plain(503, words(of)) },
  ];
}

function words({ trouble }: Troubled): string {
  const { of = 'the state directory', code, cause, remedy } = trouble();
  return `${of} cannot be used, ${code}: ${cause}: ${remedy}`;
}

function statusAnswer(of: Troubled) {
  const status = of.status();
  return status ? json(status) : plain(503, words(of));
}

function troublePage({ clock, host, folder, version, trouble }: Troubled): string {
  const concerns = concernsOf({ folder, trouble: trouble() }, undefined, clock.nowMs());
  const main = html`<div class="head"><h1>${nameHtml(host)}</h1>${verdict(concerns, 0)}</div>
${attentionSection(concerns, [])}
<p class="none">Nothing is sent meanwhile, and nothing is lost: files stay in ${nameHtml(folder)}. It goes on by itself once ${nameHtml(trouble().of ?? 'the state directory')} can be used.</p>`;
  return page({ title: `(1) ${host} · trainlogd`, host, version, main, isOverview: true });
}
