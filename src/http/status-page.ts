import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { destinationSection, hostSection } from './agent-section.ts';
import { attentionSection, verdict } from './attention.ts';
import { concernsOf } from './concerns.ts';
import { type Html, html } from './escape.ts';
import { page } from './layout.ts';
import { type SessionsPage, sessionsSection } from './sessions-table.ts';
import { uploadsSection } from './uploads-section.ts';
import { bytesText, counted, countText, durationText, nameHtml } from './words.ts';

export interface StatusPage {
  readonly status: Status;
  readonly report: Report | undefined;
  readonly sessions: SessionsPage;
  readonly nowMs: number;
}

/** `/`: is all well, what moves, what needs a person, and the sessions. */
export function statusPage({ status, report, sessions, nowMs }: StatusPage): string {
  const { parked } = status.backlog;
  const concerns = concernsOf(status, report, nowMs);
  const main = html`<div class="head"><h1>${nameHtml(status.host)}</h1>${verdict(concerns, parked.length)}</div>
${tiles(status, report, nowMs)}
${attentionSection(concerns, parked)}
<div class="two">${uploadsSection(status)}
${destinationSection(status, report, nowMs)}</div>
${sessionsSection(sessions, nowMs)}
${hostSection(status, report, nowMs)}`;
  const { host, program: version } = status;
  return page({
    title: `${titleMark(concerns, parked)}${host} · trainlogd`,
    host,
    version,
    main,
    isOverview: true,
  });
}

/** Seen also where many tabs are open. */
function titleMark(concerns: readonly unknown[], parked: readonly unknown[]): string {
  const count = concerns.length + parked.length;
  return count > 0 ? `(${count}) ` : '';
}

function tiles({ backlog }: Status, report: Report | undefined, nowMs: number): Html {
  const { pendingFiles, pendingBytes, oldestPendingFoundAtMs, open, shipping, shipped, skipped } = backlog;
  const oldest = oldestPendingFoundAtMs === undefined ? undefined : (nowMs - oldestPendingFoundAtMs) / 1000;
  const rate = report?.backlog.bytesPerSecond;
  const drain = pendingFiles > 0 ? report?.backlog.drainSeconds : undefined;
  return html`<dl class="tiles" aria-label="Backlog">
${tile('To send', bytesText(pendingBytes), counted(pendingFiles, 'file'))}
${tile('Oldest waiting', oldest === undefined ? '–' : durationText(oldest), oldest === undefined ? 'nothing waits' : 'since it was found')}
${tile('Rate', rate === undefined ? '–' : `${bytesText(rate)}/s`, drain === undefined ? 'since the last report' : `${durationText(drain)} to go`)}
${tile('Open', countText(open), 'sessions under way')}
${tile('Being sent', countText(shipping), 'sessions')}
${tile('In the bucket', countText(shipped), skipped > 0 ? `sessions; ${countText(skipped)} older ones left alone` : 'sessions')}
</dl>`;
}

function tile(name: string, value: string, words: string): Html {
  return html`<div><dt>${name}</dt><dd><span class="big">${value}</span> <span class="note">${words}</span></dd></div>`;
}
