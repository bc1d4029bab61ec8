import type { Status } from '../ports/status.ts';
import { sessionLink } from './attention.ts';
import { type Html, html } from './escape.ts';
import { bytesText, countText, durationText, nameHtml } from './words.ts';

type Upload = Status['uploads'][number];

const shownMax = 20;

export function uploadsSection({ uploads, backlog }: Pick<Status, 'uploads' | 'backlog'>): Html {
  return html`<section class="uploads" aria-labelledby="uploads"><h2 id="uploads">Being sent</h2>
${uploads.length === 0 ? html`<p class="none">${idle(backlog)}</p>` : list(uploads)}</section>`;
}

function idle({ pendingFiles }: Status['backlog']): string {
  return pendingFiles === 0 ? 'Nothing: all that is there has been sent.' : 'Nothing at the moment.';
}

function list(uploads: readonly Upload[]): Html {
  const more = uploads.length - shownMax;
  return html`<ul class="transfers">${uploads.slice(0, shownMax).map(transfer)}</ul>
${more > 0 && html`<p class="none">and ${countText(more)} more</p>`}`;
}

function transfer({ session, path, sentBytes, sizeBytes, forMs }: Upload, at: number): Html {
  const sent = Math.min(sentBytes, sizeBytes);
  const percent = sizeBytes > 0 ? Math.floor((100 * sent) / sizeBytes) : 0;
  const rate = forMs > 0 ? (sentBytes * 1000) / forMs : 0;
  const left = rate > 0 ? durationText((sizeBytes - sent) / rate) : undefined;
  return html`<li><p class="file" id="upload-${at}">${nameHtml(path)} <span class="of">of ${sessionLink(session)}</span></p>
<progress max="100" value="${percent}" aria-labelledby="upload-${at}">${percent} %</progress>
<p class="amount"><span>${percent} %</span><span>${bytesText(sent)} of ${bytesText(sizeBytes)}</span>${rate > 0 && html`<span>${bytesText(rate)}/s</span>`}${left !== undefined && html`<span>${left} left</span>`}</p></li>`;
}
