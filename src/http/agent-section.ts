import { renewThemselves } from '../domain/credential-renewal.ts';
import type { Report } from '../ports/report.ts';
import type { Status } from '../ports/status.ts';
import { type Html, html } from './escape.ts';
import { agoText, bytesText, counted, durationText, nameHtml, timeHtml } from './words.ts';

/** Where it ships to, with what, and until when. */
export function destinationSection(status: Status, report: Report | undefined, nowMs: number): Html {
  const facts = [
    fact('Destination', nameHtml(status.destination)),
    credentials(status, report, nowMs),
    lastSuccess(report, nowMs),
    unfinished(status),
    throttled(status),
  ];
  return html`<section aria-labelledby="destination"><h2 id="destination">Where it goes</h2>
<dl class="facts">${facts}</dl></section>`;
}

/** Where it watches, and how the machine is. */
export function hostSection(status: Status, report: Report | undefined, nowMs: number): Html {
  const facts = [
    fact('Folder', html`${nameHtml(status.folder)}${note(folderNote(status))}`),
    watching(report),
    elsewhere(status),
    loose(status),
    fact('State', nameHtml(status.state)),
    ...(report?.disks ?? []).map(disk),
    clock(status),
    lastReport(report, nowMs),
    fact('Process', html`${status.pid ?? '–'} <span class="note">trainlogd ${status.program}</span>`),
  ];
  return html`<section aria-labelledby="host"><h2 id="host">Host and folder</h2>
<dl class="facts columns">${facts}</dl></section>`;
}

function fact(name: string, value: Html): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function disk({ of, freeBytes, totalBytes }: Report['disks'][number]): Html {
  return fact(
    of === 'folder' ? 'Folder disk' : 'State disk',
    html`${bytesText(freeBytes)} of ${bytesText(totalBytes)} free`,
  );
}

function throttled({ throttled }: Status): Html | undefined {
  if (!throttled) return undefined;
  return fact('Throttled', html`${throttled.requests} of ${counted(throttled.of, 'request')} at once`);
}

export function note(words: string | undefined): Html | undefined {
  return words === undefined ? undefined : html` <span class="note">${words}</span>`;
}

function folderNote({ folderState }: Status): string | undefined {
  return folderState === 'present' || folderState === undefined ? undefined : folderState;
}

function credentials({ credentials }: Status, report: Report | undefined, nowMs: number): Html | undefined {
  if (!credentials) return undefined;
  const { source, expiresAt } = credentials;
  const checked = report?.credentials;
  const secondsLeft = expiresAt === undefined ? undefined : (Date.parse(expiresAt) - nowMs) / 1000;
  return fact(
    'Credentials',
    html`${nameHtml(source)}${note(validity(checked?.valid))}
${checked?.identity !== undefined && html`<span class="more">${nameHtml(checked.identity)}</span>`}
<span class="more">${secondsLeft === undefined ? 'no end is known' : timeLeft(secondsLeft)}${renewThemselves(source) && '; they renew themselves'}</span>`,
  );
}

function validity(valid: boolean | undefined): string | undefined {
  if (valid === undefined) return undefined;
  return valid ? 'accepted' : 'refused';
}

function timeLeft(seconds: number): string {
  return seconds <= 0 ? `expired ${durationText(-seconds)} ago` : `expire in ${durationText(seconds)}`;
}

function lastSuccess(report: Report | undefined, nowMs: number): Html | undefined {
  const atMs = Date.parse(report?.lastSuccessAt ?? '');
  if (Number.isNaN(atMs)) return undefined;
  return fact(
    'Last arrival',
    html`${agoText((nowMs - atMs) / 1000)} ${note('in the bucket, as of the last report')}`,
  );
}

function clock({ clockBehindMs = 0 }: Status): Html | undefined {
  if (clockBehindMs === 0) return undefined;
  const side = clockBehindMs > 0 ? 'behind' : 'ahead of';
  return fact('Clock', html`${durationText(Math.abs(clockBehindMs) / 1000)} ${side} the server's`);
}

function watching(report: Report | undefined): Html | undefined {
  if (!report) return undefined;
  const { looks, missedByEvents } = report.watch;
  const missed = missedByEvents > 0 ? `, ${counted(missedByEvents, 'change')} found by looking alone` : '';
  return fact('Watching', html`${counted(looks, 'look')} at the whole folder${missed}`);
}

function unfinished({ parts }: Status): Html | undefined {
  if (!parts || parts.open + parts.abandoned === 0) return undefined;
  const given = parts.abandoned > 0 ? `, ${bytesText(parts.abandonedBytes)} given up and not freed yet` : '';
  return fact(
    'In parts',
    html`${counted(parts.open, 'upload')} under way, ${bytesText(parts.openBytes)} there${given}`,
  );
}

function elsewhere({ elsewhere }: Status): Html | undefined {
  if (!elsewhere || elsewhere.length === 0) return undefined;
  return fact('Other hosts', html`ship ${counted(elsewhere.length, 'session')} of this folder`);
}

function loose({ loose }: Status): Html | undefined {
  const [first] = loose;
  if (first === undefined) return undefined;
  return fact(
    'In no session',
    html`${counted(loose.length, 'file')} such as ${nameHtml(first)}: not shipped`,
  );
}

function lastReport(report: Report | undefined, nowMs: number): Html {
  if (!report) return fact('Last report', html`none yet`);
  const atMs = Date.parse(report.at);
  return fact('Last report', html`${timeHtml(atMs)} ${note(agoText((nowMs - atMs) / 1000))}`);
}
