import { plainAssets } from './assets.ts';
import { type Html, html } from './escape.ts';
import { nameHtml } from './words.ts';

export interface PageFrame {
  readonly title: string;
  readonly host: string;
  readonly version: string;
  readonly main: Html;
  /** Its heading is the host itself. */
  readonly isOverview?: boolean;
}

/** What is in `main` is what the script replaces. */
export function page({ title, host, version, main, isOverview }: PageFrame): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="${icon}">
<link rel="stylesheet" href="${plainAssets.style.path}">
<script src="${plainAssets.script.path}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="wide"><a class="brand" href="/">trainlogd</a>${isOverview ? undefined : html`<span class="host">${nameHtml(host)}</span>`}</div></header>
<main id="main" class="wide" tabindex="-1">
${main}
</main>
<footer class="wide">
<p id="live" role="status"></p>
<noscript><p>Without JavaScript this page does not update itself: reload it.</p></noscript>
<p>trainlogd ${version} <span class="sep">·</span> <a href="/api/status">status as JSON</a> <span class="sep">·</span> <a href="/metrics">metrics</a> <span class="sep">·</span> times in UTC</p>
</footer>
</body>
</html>
`.text;
}

/** A falling line; the only picture that is not drawn in place. */
const icon =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Crect width=%2216%22 height=%2216%22 rx=%223%22 fill=%22%231d4ed8%22/%3E%3Cpath d=%22M3 4c1.500 6 4 7.500 10 8%22 fill=%22none%22 stroke=%22white%22 stroke-width=%221.800%22 stroke-linecap=%22round%22/%3E%3C/svg%3E';
