import { displayPath } from '../domain/watched-path.ts';
import type { RecentSession } from '../ports/session-views.ts';
import { type Html, type HtmlValue, html } from './escape.ts';
import { sparkline } from './sparkline.ts';
import { arrivalTag, statusTag } from './status-tag.ts';
import { counted, durationText, nameHtml, numberText, timeHtml, unknown } from './words.ts';

export const perPage = 50;

export interface SessionsPage {
  readonly sessions: readonly RecentSession[];
  /** From 1. */
  readonly page: number;
  readonly count: number;
}

export function sessionsSection({ sessions, page, count }: SessionsPage, nowMs: number): Html {
  if (count === 0)
    return html`<section aria-labelledby="sessions"><h2 id="sessions">Sessions</h2>
<p class="none">No session has been seen yet. One appears here as soon as a training writes into the folder.</p></section>`;
  return html`<section aria-labelledby="sessions">
<h2 id="sessions">Sessions <span class="count">${counted(count, 'session')}, latest start first</span></h2>
${sessions.length === 0 ? html`<p class="none">There are not so many pages.</p>` : table(sessions, nowMs)}
${pager(page, Math.ceil(count / perPage))}
</section>`;
}

/** Roles are said aloud: on a phone the rows are no table to look at, but they stay one to listen to. */
function table(sessions: readonly RecentSession[], nowMs: number): Html {
  return html`<table class="sessions" role="table">
<thead role="rowgroup"><tr role="row">${head('Status')}${head('Session')}${head('User', 'wide-only')}${head('Framework', 'wide-only')}${head('Started', 'num')}${head('Duration', 'num')}${head('Loss')}${head('Last', 'num')}${head('In the bucket')}</tr></thead>
<tbody role="rowgroup">${sessions.map((session) => row(session, nowMs))}</tbody>
</table>`;
}

function head(words: string, kind = 'plain'): Html {
  return html`<th scope="col" role="columnheader" class="${kind}">${words}</th>`;
}

function cell(kind: string, content: HtmlValue): Html {
  return html`<td role="cell" class="${kind}">${content}</td>`;
}

function row(session: RecentSession, nowMs: number): Html {
  const { brief, id, startedAtMs, status } = session;
  const name = nameHtml(brief?.name || displayPath(session.root) || id || 'the folder itself');
  const runsFor = status === 'running' ? (nowMs - startedAtMs) / 1000 : undefined;
  const last = brief?.loss?.values.at(-1);
  return html`<tr role="row">${cell('status', statusTag(status))}
<th scope="row" role="rowheader" class="name">${id === undefined ? name : html`<a href="/sessions/${id}">${name}</a>`}</th>
${cell('short wide-only', optional(brief?.user))}${cell('short wide-only', optional(brief?.framework))}
${cell('num start', timeHtml(startedAtMs))}${cell('num duration', durationText(runsFor ?? brief?.durationSeconds))}
${cell('loss', sparkline(brief?.loss))}${cell('num last', last === undefined ? unknown : numberText(last))}
${cell('arrival', arrivalTag(session))}</tr>
`;
}

function optional(name: string | undefined): Html | string {
  return name === undefined ? unknown : nameHtml(name);
}

function pager(page: number, pages: number): Html | undefined {
  if (pages <= 1) return undefined;
  const link = (to: number, words: string) =>
    to >= 1 && to <= pages
      ? html`<a href="/?page=${to}">${words}</a>`
      : html`<span class="off">${words}</span>`;
  return html`<nav class="pager" aria-label="Pages of sessions">${link(page - 1, 'Newer')}<span>Page ${page} of ${pages}</span>${link(page + 1, 'Older')}</nav>`;
}
