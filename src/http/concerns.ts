import type { Finding, Level } from '../domain/finding.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { type Html, html } from './escape.ts';
import { durationText, nameHtml } from './words.ts';

/** Something that a person is to know or do, with the next step. */
export interface Concern {
  readonly level: Exclude<Level, 'ok'>;
  readonly title: Html;
  readonly evidence?: string | undefined;
  readonly remedy?: string | undefined;
}

type Worrying = Pick<Status, 'blocked' | 'trouble' | 'credentials' | 'folder' | 'folderState'>;

/** What a report says too, but some minutes ago: the page knows how it is now. */
const knownNow: ReadonlySet<string> = new Set([
  'agent.blocked',
  'agent.trouble',
  'agent.parked',
  'folder.missing',
  'folder.unreadable',
]);

/** How things are now, then what only a report finds out. What both met is told once, by who knows more of its cause. */
export function concernsOf(status: Worrying, report: Report | undefined, nowMs: number): readonly Concern[] {
  const { trouble, blocked, credentials } = status;
  const found = (report?.findings ?? []).filter(({ level, code }) => level !== 'ok' && !knownNow.has(code));
  const blockedAtMs = nowMs - (blocked?.sinceMs ?? 0);
  const isExplained = Date.parse(report?.at ?? '') >= blockedAtMs && found.some(keepsFromSending);
  return [
    ...(trouble ? [kept(`${capitalised(trouble.of ?? 'the state directory')} cannot be used`, trouble)] : []),
    ...(blocked && !isExplained ? [kept('The destination cannot be used', blocked)] : []),
    ...folderConcerns(status),
    ...(credentials?.problem !== undefined && !found.some(({ code }) => code.startsWith('credentials.'))
      ? [notRenewed(credentials.problem)]
      : []),
    ...found.map(ofFinding),
  ];
}

/** The look of a report at the destination, told as the doctor tells it. */
function keepsFromSending({ level, code }: Finding): boolean {
  return level === 'critical' && /^(bucket|clock|credentials|destination|network|permissions)\./.test(code);
}

function kept(what: string, of: NonNullable<Status['blocked']>): Concern {
  const { code, cause, remedy, sinceMs } = of;
  const title = html`${nameHtml(what)}, for ${durationText(sinceMs / 1000)}: ${nameHtml(cause)}`;
  return { level: 'critical', title, evidence: code, remedy };
}

function folderConcerns({ folder, folderState }: Worrying): readonly Concern[] {
  if (folderState !== 'missing' && folderState !== 'unreadable') return [];
  const remedy =
    folderState === 'missing'
      ? 'make it, mount it, or set watch.directory to where trainings write; what is written there later is found'
      : 'let the user that trainlogd runs as read and enter it';
  const title = html`The watched folder is ${folderState}: ${nameHtml(folder)}`;
  return [{ level: 'critical', title, remedy }];
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function notRenewed(problem: string): Concern {
  return { level: 'warning', title: html`Credentials could not be renewed`, evidence: problem };
}

function ofFinding({ level, finding, evidence, remedy }: Finding): Concern {
  return { level: level === 'critical' ? 'critical' : 'warning', title: nameHtml(finding), evidence, remedy };
}
