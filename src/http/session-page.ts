import { type Curve, curvesOf, isLossCurve } from '../domain/curves.ts';
import type { History } from '../domain/history.ts';
import type { Listing, SessionDetail } from '../domain/session-view.ts';
import { displayPath } from '../domain/watched-path.ts';
import type { SessionView, ViewedFile } from '../ports/session-views.ts';
import { type Html, html } from './escape.ts';
import { page } from './layout.ts';
import { largePlot, legend, plot, smallPlot, valuesTable } from './plot.ts';
import { arrivalTag, statusTag, tag } from './status-tag.ts';
import { bytesText, counted, countText, durationText, nameHtml, timeHtml, unknown } from './words.ts';

const lossesMax = 4;
const othersMax = 6;

export interface SessionPage {
  readonly view: SessionView;
  readonly host: string;
  readonly version: string;
  readonly nowMs: number;
}

/** `/sessions/ID`: what is known of one session, and how much of it is in the bucket. */
export function sessionPage({ view, host, version, nowMs }: SessionPage): string {
  const { brief, detail, id = '' } = view;
  const name = brief?.name || displayPath(view.root) || id;
  const main = html`${back}
<div class="head"><h1>${nameHtml(name)}</h1><p class="tags">${statusTag(view.status)} <span class="note">in the bucket:</span> ${arrivalTag(view)}</p></div>
${detail?.error !== undefined && html`<p class="error"><span class="level">Error</span> ${nameHtml(detail.error)}</p>`}
${view.failure && html`<p class="error"><span class="level">${view.failure.code}</span> ${nameHtml(view.failure.cause)}: ${nameHtml(view.failure.remedy)}</p>`}
${facts(view, nowMs)}
${curves(detail?.history)}
${detail ? listings(detail) : html`<p class="none">Configuration, results and curves are kept for the latest sessions only: <code>trainlogd show ${id}</code> reads this one's log from the bucket.</p>`}
${files(view)}
${detail && warnings(detail)}`;
  return page({ title: `${name} · trainlogd`, host, version, main });
}

export function noSessionPage(of: Pick<SessionPage, 'host' | 'version'> & { readonly id: string }): string {
  const { id, host, version } = of;
  const main = html`${back}
<div class="head"><h1>No such session</h1></div>
<section aria-label="What to do"><p>This host knows no session with the id <code>${id}</code>. If another one shipped it: <code>trainlogd show ${id}</code> reads its log from the bucket.</p></section>`;
  return page({ title: 'No such session · trainlogd', host, version, main });
}

const back = html`<nav class="back" aria-label="Where you are"><a href="/">All sessions</a></nav>`;

function facts(view: SessionView, nowMs: number): Html {
  const { brief, detail } = view;
  const pod = detail?.pod;
  const runsFor = view.status === 'running' ? (nowMs - view.startedAtMs) / 1000 : undefined;
  const gpus = pod?.gpuCount === undefined ? pod?.gpuType : `${pod.gpuCount} × ${pod.gpuType ?? 'GPU'}`;
  const known: readonly (readonly [string, Html | undefined])[] = [
    ['Id', view.id === undefined ? undefined : html`<code>${view.id}</code>`],
    ['Started', timeHtml(view.startedAtMs)],
    [
      'Ended',
      view.status === 'running' || brief?.endedAt === undefined
        ? undefined
        : timeHtml(Date.parse(brief.endedAt)),
    ],
    ['Duration', html`${durationText(runsFor ?? brief?.durationSeconds)}`],
    ['Ended by', text(view.status === 'running' ? undefined : detail?.sealedBy)],
    ['User', text(brief?.user)],
    ['Framework', text(brief?.framework)],
    ['Version', text(detail?.version)],
    ['Machine', text([pod?.provider, pod?.id].filter((one) => one !== undefined).join(', ') || undefined)],
    ['GPUs', text(gpus)],
    ['Cost', text(pod?.cost === undefined ? undefined : `${pod.cost.toFixed(2)} ${pod.currency ?? ''}`)],
    ['Epochs', number(detail?.epochsCompleted)],
    ['Steps', number(detail?.stepsCompleted)],
    ['Checkpoints', detail && detail.checkpoints > 0 ? number(detail.checkpoints) : undefined],
    ['Directory', text(displayPath(view.root) || view.folder)],
    [
      'Log',
      html`<code>${view.key}</code>${view.revision > 0 && html` <span class="note">revision ${view.revision}</span>`}`,
    ],
  ];
  return html`<section aria-label="About this session"><dl class="facts columns">${known.map(([name, value]) => value && html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

function text(value: string | undefined): Html | undefined {
  return value === undefined ? undefined : nameHtml(value);
}

function number(value: number | undefined): Html | undefined {
  return value === undefined ? undefined : html`${countText(value)}`;
}

function curves(history: History | undefined): Html | undefined {
  if (!history) return undefined;
  const { x, curves } = curvesOf(history, 24);
  const losses = curves.filter(isLossCurve).slice(0, lossesMax);
  const others = curves
    .filter((curve) => !losses.includes(curve) && curve.points.length > 1)
    .slice(0, othersMax);
  if (losses.length + others.length === 0) return undefined;
  return html`<section aria-labelledby="curves"><h2 id="curves">${losses.length > 0 ? 'Loss' : 'Curves'}</h2>
<div class="plot-and-values">${losses.length > 0 && html`<figure>${plot(losses, x, largePlot, 'loss')}<figcaption>${legend(losses, x)}</figcaption></figure>`}
<div class="scroll" id="values" tabindex="0" role="region" aria-label="Values of the curves">${valuesTable([...losses, ...others])}</div></div>
${others.length > 0 && html`<div class="small-plots">${others.map((curve, at) => small(curve, x, at))}</div>`}
${history.thinnedFrom !== undefined && html`<p class="note">Drawn from ${countText(history.rows.length)} of ${countText(history.thinnedFrom)} rows.</p>`}</section>`;
}

function small(curve: Curve, x: string, at: number): Html {
  return html`<figure><figcaption>${nameHtml(curve.name)}</figcaption>${plot([curve], x, smallPlot, `curve-${at}`)}</figure>`;
}

function listings({ metrics, config }: SessionDetail): Html {
  return html`<div class="two even">${listing('Results', 'results', metrics, 'No final metrics were found.')}
${listing('Configuration', 'configuration', config, 'No configuration was found.')}</div>`;
}

function listing(title: string, id: string, { entries, more }: Listing, none: string): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${entries.length === 0 ? html`<p class="none">${none}</p>` : html`<dl class="listing">${entries.map(([name, value]) => html`<div><dt>${nameHtml(name)}</dt><dd>${nameHtml(value)}</dd></div>`)}</dl>`}
${more > 0 && html`<p class="note">and ${countText(more)} more, in the log</p>`}</section>`;
}

function files({ files, hasMoreFiles, missing, detail, id = '' }: SessionView): Html {
  const excluded = detail?.excluded;
  return html`<section aria-labelledby="files"><h2 id="files">Files <span class="count">${hasMoreFiles ? `the first ${countText(files.length)}` : counted(files.length, 'file')}</span></h2>
${missing > 0 && html`<p class="error"><span class="level">Missing</span> The log names ${counted(missing, 'file')} that ${missing === 1 ? 'is' : 'are'} not in the bucket.</p>`}
${files.length === 0 ? html`<p class="none">None is known yet, or none but the log is shipped.</p>` : html`<table class="files"><thead><tr><th scope="col">File</th><th scope="col" class="num">Size</th><th scope="col">State</th></tr></thead><tbody>${files.map(file)}</tbody></table>`}
${hasMoreFiles && html`<p class="note"><code>trainlogd show ${id} --json</code> names all of them.</p>`}
${excluded && excluded.files > 0 && html`<p class="note">Left out on purpose, such as weights and caches: ${counted(excluded.files, 'file')}, ${bytesText(excluded.bytes)}.</p>`}</section>`;
}

function file({ path, sizeBytes, state, failure }: ViewedFile): Html {
  return html`<tr><th scope="row" class="name">${nameHtml(displayPath(path))}${failure && html`<span class="more">${nameHtml(`${failure.code}: ${failure.cause}: ${failure.remedy}`)}</span>`}</th><td class="num">${bytesText(sizeBytes)}</td><td>${fileTag(state)}</td></tr>
`;
}

function fileTag(state: ViewedFile['state']): Html {
  switch (state) {
    case 'uploaded':
      return tag('good', 'in the bucket');
    case 'deleted':
      return tag('good', 'in the bucket, deleted here');
    case 'pending':
      return tag('busy', 'to be sent');
    case 'parked':
      return tag('bad', 'needs you');
    case 'gone':
      return tag('odd', 'vanished');
    case 'none':
      return tag('calm', 'not now');
    default:
      return html`${unknown}`;
  }
}

function warnings({ warnings, warningsMore }: SessionDetail): Html | undefined {
  if (warnings.length === 0) return undefined;
  return html`<section aria-labelledby="warnings"><h2 id="warnings">Warnings of the log</h2>
<ul class="warnings">${warnings.map((one) => html`<li>${nameHtml(one)}</li>`)}</ul>
${warningsMore > 0 && html`<p class="note">and ${countText(warningsMore)} more, in the log</p>`}</section>`;
}
