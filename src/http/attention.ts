import type { Level } from '../domain/finding.ts';
import type { Status } from '../ports/status.ts';
import type { Concern } from './concerns.ts';
import { type Html, html } from './escape.ts';
import { counted, countText, nameHtml } from './words.ts';

const parkedMax = 50;

export function verdict(concerns: readonly Concern[], parked: number): Html {
  const critical = concerns.filter(({ level }) => level === 'critical').length;
  const needs = critical + parked;
  if (needs > 0) return tone('critical', `${counted(needs, 'thing')} need${needs === 1 ? 's' : ''} you`);
  if (concerns.length > 0) return tone('warning', `${counted(concerns.length, 'warning')}`);
  return tone('ok', 'All is well');
}

function tone(level: Level, words: string): Html {
  return html`<p class="verdict ${level}"><span class="mark" aria-hidden="true"></span>${words}</p>`;
}

export function attentionSection(
  concerns: readonly Concern[],
  parked: Status['backlog']['parked'],
): Html | undefined {
  if (concerns.length + parked.length === 0) return undefined;
  const more = parked.length - parkedMax;
  const all = [...concerns, ...parked.slice(0, parkedMax).map(notShipped)];
  const ordered = [...all.filter(isCritical), ...all.filter((one) => !isCritical(one))];
  return html`<section aria-labelledby="attention"><h2 id="attention">${all.some(isCritical) ? 'Needs you' : 'To look at'}</h2>
<ul class="concerns">${ordered.map(item)}</ul>
${more > 0 && html`<p class="none">and ${countText(more)} more parked files: <code>trainlogd status</code> names them</p>`}</section>`;
}

function isCritical({ level }: Concern): boolean {
  return level === 'critical';
}

function notShipped({ path, session, code, cause, remedy }: Status['backlog']['parked'][number]): Concern {
  return {
    level: 'critical',
    title: html`Not shipped: ${nameHtml(path)} of ${sessionLink(session)}`,
    evidence: `${code}: ${cause}`,
    remedy,
  };
}

/** What has no id yet is called by its path, and has no page. */
export function sessionLink(session: string): Html {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(session)) return nameHtml(session);
  return html`<a href="/sessions/${session}">${nameHtml(session)}</a>`;
}

function item({ level, title, evidence, remedy }: Concern): Html {
  return html`<li class="${level}"><p class="what"><span class="level">${level}</span> ${title}</p>
${evidence !== undefined && html`<p class="evidence">${nameHtml(evidence)}</p>`}
${remedy !== undefined && html`<p class="remedy">${nameHtml(remedy)}</p>`}</li>`;
}
