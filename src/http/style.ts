/** The one style sheet: two palettes, a measure of 72 characters and more, tables that fit a phone. */
export const style = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --panel: #ffffff; --line: #e1e4ea; --strong: #c3c9d4;
  --text: #171c26; --soft: #545f70;
  --link: #1d4ed8; --focus: #1d4ed8;
  --good: #166534; --good-back: #e6f4ea;
  --busy: #1e40af; --busy-back: #e5edff;
  --bad: #b42318; --bad-back: #fdecea;
  --odd: #854d0e; --odd-back: #fdf3d7;
  --calm: #4b5565; --calm-back: #eceff3;
  --s0: #1d4ed8; --s1: #c2410c; --s2: #0f766e; --s3: #7c3aed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0f1218; --panel: #171b23; --line: #2a303c; --strong: #434c5c;
    --text: #e7eaf0; --soft: #a3adbd;
    --link: #8db4ff; --focus: #8db4ff;
    --good: #86d9a0; --good-back: #15301f;
    --busy: #a4c2ff; --busy-back: #1b2a4a;
    --bad: #ffa79d; --bad-back: #42201d;
    --odd: #f0cc7a; --odd-back: #372b12;
    --calm: #b4bdca; --calm-back: #262c37;
    --s0: #79a6ff; --s1: #ff9e64; --s2: #4fd1c1; --s3: #c4a5ff;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
.wide { max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
main > .none { margin-bottom: 1.25rem; }
main:focus { outline: none; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; border-radius: 2px; }
.skip { position: absolute; left: -100rem; background: var(--panel); padding: 0.5rem 1rem; z-index: 1; }
.skip:focus { left: 0.5rem; top: 0.5rem; }
code { font: 0.9em ui-monospace, 'SF Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
bdi { overflow-wrap: anywhere; white-space: pre-wrap; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; font-weight: 650; min-width: 0; }
h2 { font-size: 1rem; margin: 0 0 0.75rem; font-weight: 650; }
p { margin: 0; }
p, li, dd, h1 { overflow-wrap: anywhere; }
.count, .note, .of, .more, .none { color: var(--soft); font-weight: 400; }
.count { font-size: 0.875rem; margin-left: 0.35rem; }
.more { display: block; font-size: 0.875rem; }

.top { background: var(--panel); border-bottom: 1px solid var(--line); }
.top .wide { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; padding-top: 0.6rem; padding-bottom: 0.6rem; }
.brand { font-weight: 700; letter-spacing: -0.01em; color: var(--text); text-decoration: none; }
.host { color: var(--soft); min-width: 0; }
.head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 0.5rem 1.5rem; margin: 1.5rem 0 1rem; }
.tags { display: flex; gap: 0.4rem; }
.back { margin-top: 1.25rem; }
.back + .head { margin-top: 0.25rem; }

.verdict { font-weight: 600; display: flex; align-items: center; gap: 0.5rem; padding: 0.3rem 0.85rem; border-radius: 1rem; }
.verdict .mark { width: 0.6rem; height: 0.6rem; border-radius: 50%; background: currentColor; }
.verdict.warning .mark { border-radius: 1px; transform: rotate(45deg); }
.verdict.critical .mark { border-radius: 1px; }
.verdict.ok { color: var(--good); background: var(--good-back); }
.verdict.warning { color: var(--odd); background: var(--odd-back); }
.verdict.critical { color: var(--bad); background: var(--bad-back); }

section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; margin: 0 0 1rem; min-width: 0; }
.two { display: grid; gap: 0 1rem; }
@media (min-width: 60rem) {
  .two { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); }
  .two.even { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}

.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 1px; margin: 0 0 1rem; background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.tiles div { background: var(--panel); padding: 0.75rem 1.25rem; }
.tiles dt { color: var(--soft); font-size: 0.875rem; }
.tiles dd { margin: 0; }
.tiles .big { display: block; white-space: nowrap; font-size: 1.375rem; font-weight: 600; line-height: 1.3; letter-spacing: -0.01em; }
.tiles .note { font-size: 0.8125rem; }

.facts { margin: 0; }
.facts div { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: 0.75rem; padding: 0.35rem 0; border-top: 1px solid var(--line); }
.facts div:first-child { border-top: 0; padding-top: 0; }
.facts dt, .listing dt { color: var(--soft); }
.facts dd, .listing dd { margin: 0; overflow-wrap: anywhere; }
@media (min-width: 60rem) {
  .facts.columns { columns: 2; column-gap: 2.5rem; }
  .facts.columns div { break-inside: avoid; border-top: 0; border-bottom: 1px solid var(--line); padding: 0.35rem 0; }
}
.listing { margin: 0; }
.listing div { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 0.75rem; padding: 0.25rem 0; border-top: 1px solid var(--line); }
.listing div:first-child { border-top: 0; }

.concerns { list-style: none; margin: 0; padding: 0; }
.concerns li { border-left: 3px solid var(--odd); padding: 0.1rem 0 0.1rem 0.85rem; margin: 0 0 0.85rem; }
.concerns li:last-child { margin-bottom: 0; }
.concerns li.critical { border-color: var(--bad); }
.what { font-weight: 550; }
.level { font-size: 0.75rem; font-weight: 650; text-transform: uppercase; letter-spacing: 0.04em; margin-right: 0.35rem; color: var(--odd); }
.critical .level, .error .level { color: var(--bad); }
.evidence { color: var(--soft); font-size: 0.9375rem; }
.remedy::before { content: '→ '; content: '→ ' / ''; color: var(--soft); }
.error { border-left: 3px solid var(--bad); padding: 0.1rem 0 0.1rem 0.85rem; margin: 0 0 1rem; }

.transfers { list-style: none; margin: 0; padding: 0; }
.transfers li { padding: 0.6rem 0; border-top: 1px solid var(--line); }
.transfers li:first-child { border-top: 0; padding-top: 0; }
.amount { display: flex; flex-wrap: wrap; gap: 0 1.25rem; font-size: 0.875rem; color: var(--soft); }
.amount span:first-child { color: var(--text); min-width: 2.5rem; }
progress { display: block; width: 100%; height: 0.5rem; margin: 0.35rem 0; appearance: none; border: 0; border-radius: 0.25rem; background: var(--line); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--s0); }
progress::-moz-progress-bar { background: var(--s0); }

table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: 0.45rem 1rem 0.45rem 0; border-top: 1px solid var(--line); vertical-align: middle; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-size: 0.8125rem; border-top: 0; padding-top: 0; white-space: nowrap; }
tbody tr:hover { background: var(--back); }
.num { text-align: right; white-space: nowrap; }
.name { min-width: 8rem; }
.sessions th, .sessions td { padding-right: 0.75rem; }
.sessions .name { min-width: 12rem; }
.sessions .name bdi, .file bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; white-space: normal; }
.file bdi { display: inline; }
.short bdi { display: block; max-width: 7.5rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.loss { padding-right: 0.5rem; }
.tag { display: inline-block; white-space: nowrap; font-size: 0.8125rem; line-height: 1.4; padding: 0.05rem 0.5rem; border-radius: 0.75rem; }
.tag.good { color: var(--good); background: var(--good-back); }
.tag.busy { color: var(--busy); background: var(--busy-back); }
.tag.bad { color: var(--bad); background: var(--bad-back); }
.tag.odd { color: var(--odd); background: var(--odd-back); }
.tag.calm { color: var(--calm); background: var(--calm-back); }
.pager { display: flex; gap: 1.25rem; justify-content: center; padding-top: 0.85rem; border-top: 1px solid var(--line); }
.pager .off { color: var(--soft); }
.scroll { overflow-x: auto; }

.spark { vertical-align: middle; }
.spark polyline { fill: none; stroke: var(--s0); stroke-width: 1.5; stroke-linejoin: round; }
.spark circle { fill: var(--s0); }
figure { margin: 0 0 1rem; }
.plot { display: block; width: 100%; height: auto; overflow: visible; }
.plot polyline, .key line { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
.plot .grid line { stroke: var(--line); }
.plot text { fill: var(--soft); font-size: 12px; }
.s0 { stroke: var(--s0); } .s1 { stroke: var(--s1); stroke-dasharray: 7 3; } .s2 { stroke: var(--s2); stroke-dasharray: 2 3; } .s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
circle.s0, circle.s1, circle.s2, circle.s3 { fill: var(--panel); stroke-width: 3; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.25rem 0 0; padding: 0; font-size: 0.875rem; }
.legend .key { margin-right: 0.4rem; vertical-align: middle; }
.legend .x { color: var(--soft); margin-left: auto; }
.plot-and-values { display: grid; gap: 0 2rem; align-items: start; margin-bottom: 1rem; }
@media (min-width: 60rem) { .plot-and-values { grid-template-columns: minmax(0, 17fr) minmax(0, 10fr); } }
.plot-and-values figure { margin: 0 0 0.5rem; }
.small-plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 0.5rem 1.5rem; }
.small-plots figcaption { font-size: 0.875rem; }
.warnings { margin: 0; padding-left: 1.2rem; }

footer { padding-top: 0.75rem; padding-bottom: 2rem; color: var(--soft); font-size: 0.875rem; }
#live { color: var(--odd); font-weight: 550; }
#live:empty { display: none; }

@media (max-width: 74rem) { .wide-only { display: none; } }
@media (max-width: 60rem) {
  .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .sessions, .sessions tbody { display: block; }
  .sessions thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .sessions tr { display: grid; grid-template-columns: auto 1fr auto; gap: 0.2rem 0.75rem; align-items: center; padding: 0.55rem 0; border-top: 1px solid var(--line); }
  .sessions th, .sessions td { display: block; border: 0; padding: 0; }
  .sessions .wide-only { display: none; }
  .sessions .name { grid-area: 1 / 1 / 2 / 3; min-width: 0; }
  .sessions .status { grid-area: 1 / 3; justify-self: end; }
  .sessions .loss { grid-area: 2 / 1; }
  .sessions .last { grid-area: 2 / 2; text-align: left; }
  .sessions .arrival { grid-area: 2 / 3; justify-self: end; }
  .sessions .start, .sessions .duration { font-size: 0.8125rem; color: var(--soft); text-align: left; }
  .sessions .start { grid-area: 3 / 1 / 4 / 3; }
  .sessions .duration { grid-area: 3 / 3; justify-self: end; }
}
@media (max-width: 44rem) {
  .wide { padding-left: 0.85rem; padding-right: 0.85rem; }
  section { padding: 0.85rem; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tiles div { padding: 0.6rem 0.85rem; }
  .facts div { grid-template-columns: 7rem minmax(0, 1fr); }
  th, td { padding-right: 0.6rem; }
  .plot-and-values .plot text { font-size: 20px; }
}
@media (forced-colors: active) { .tag, .verdict { border: 1px solid; } }
@media print { .skip, .pager, footer { display: none; } body { background: none; } }
`;
