import type { Level } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { type Html, html } from './escape.ts';
import { counted, countText, durationText, nameHtml } from './words.ts';

/** Something that a person is to know or do, with the next step. */
export interface Concern {
  readonly level: Exclude<Level, 'ok'>;
  readonly title: Html;
  readonly evidence?: string;
  readonly remedy?: string;
}

const parkedMax = 50;

type Worrying = Pick<Status, 'blocked' | 'trouble' | 'credentials' | 'folder' | 'folderState'>;

export function concernsOf(status: Worrying, report: Report | undefined): readonly Concern[] {
  const { blocked, trouble, credentials, folder, folderState } = status;
  const concerns: Concern[] = [];
  if (trouble)
    concerns.push({
      level: 'critical',
      title: html`The state directory cannot be used, for ${durationText(trouble.sinceMs / 1000)}: ${nameHtml(trouble.cause)}`,
      evidence: trouble.code,
      remedy: trouble.remedy,
    });
  if (blocked)
    concerns.push({
      level: 'critical',
      title: html`The destination cannot be used, for ${durationText(blocked.sinceMs / 1000)}: ${nameHtml(blocked.cause)}`,
      evidence: blocked.code,
      remedy: blocked.remedy,
    });
  if (folderState === 'missing' || folderState === 'unreadable')
    concerns.push({
      level: 'critical',
      title: html`The watched folder is ${folderState}: ${nameHtml(folder)}`,
      remedy:
        folderState === 'missing'
          ? 'make it, mount it, or set watch.directory to where trainings write; what is written there later is found'
          : 'let the user that trainlogd runs as read and enter it',
    });
  if (credentials?.problem !== undefined)
    concerns.push({
      level: 'warning',
      title: html`Credentials could not be renewed`,
      evidence: credentials.problem,
    });
  for (const { level, finding, evidence, remedy } of report?.findings ?? []) {
    if (level === 'ok') continue;
    concerns.push({
      level,
      title: nameHtml(finding),
      ...(evidence !== undefined && { evidence }),
      ...(remedy !== undefined && { remedy }),
    });
  }
  return concerns;
}

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
