/**
 * The status page: one document, whose script (`page-script.ts`) asks for the status every second. The policy lets no
 * other script run and nothing else be fetched; all addresses are relative, for `kubectl port-forward` and proxies.
 */
import { createHash } from 'node:crypto'
import { SCRIPT } from './page-script.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --dim: #5b6676; --line: #dfe3ea; --bad: #b42318; --good: #067647; --paper: #fff; --card: #f6f7f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #a3adbd; --line: #2c3442; --bad: #fb8279; --good: #4fd394; --paper: #10151d; --card: #18202b } }
* { box-sizing: border-box }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 76rem; padding: 1.5rem }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .3rem .8rem }
h1 { font-size: 1.35rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
p { margin: .2rem 0; color: var(--dim) }
#state { border: 1px solid currentColor; border-radius: 1rem; padding: 0 .7rem; font-size: .9rem }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .3rem 1rem }
.scroll:focus-visible { outline: 2px solid var(--ink) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem 1rem .4rem 0; vertical-align: top; border-top: 1px solid var(--line) }
thead th { border-top: 0; font-weight: 600; color: var(--dim); font-size: .85rem; white-space: nowrap }
th:last-child, td:last-child { padding-right: 0 }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.path { overflow-wrap: anywhere; min-width: 14rem } .cell { white-space: pre-line } .cell.n { white-space: pre }
tbody th { font-weight: inherit }
.graph { display: block; width: 100%; height: 7rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem }
polyline { fill: none; stroke: var(--good); stroke-width: 2; vector-effect: non-scaling-stroke }
#curve-read { stroke: var(--ink); stroke-dasharray: 6 4 }
.controls { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin-bottom: .5rem }
input, button { font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--dim); border-radius: .4rem; padding: .15rem .6rem }
input { width: 10rem; max-width: 60vw } button { cursor: pointer }
footer { margin-top: 2rem } a { color: inherit }
@media (max-width: 40rem) { body { padding: .8rem } .scroll { padding: .2rem .6rem } th, td { padding-right: .7rem } .path { min-width: 9rem } }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
`

const section = (id: string, title: string, words = '') => `<section>
<h2 id="${id}-title">${title}</h2>${words}
<div class="scroll" id="${id}" tabindex="0" role="region" aria-labelledby="${id}-title"><p>…</p></div>
<p id="${id}-more"></p>
</section>`

const field = (name: string) =>
  `<label>${name} <input id="records-${name}" autocomplete="off" spellcheck="false" maxlength="256"></label>`

const RECORDS = `<p>As they are sent, after redaction, with what became of them; the newest first.</p>
<p class="controls">${['text', 'source', 'backend'].map(field).join(' ')}
<button id="records-button" type="button">Start</button> <span id="records-state"></span></p>`

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>logshipper</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>logshipper</h1><span id="who"></span><span id="state" role="status" aria-live="polite">…</span></header>
<main>
<p id="line"></p>
<p id="faults" role="status" aria-live="polite"></p>
<section id="configuration" hidden><h2>Configuration</h2><p id="problems"></p></section>
${section('backends', 'Backends')}
<section>
<h2 id="throughput-title">Throughput</h2>
<svg class="graph" role="img" aria-labelledby="throughput-title throughput-words" viewBox="0 -4 600 108" preserveAspectRatio="none">
<polyline id="curve-read"/><polyline id="curve-delivered"/>
</svg>
<p id="throughput-words"></p>
</section>
${section('files', 'Files', '<p>Those that are furthest behind come first.</p>')}
${section('letters', 'Dead letters')}
${section('ledger', 'Ledger', '<p>Read = delivered + rejected + dropped by a policy + in flight. Lost: truncated or deleted before it could be read.</p>')}
${section('records', 'Records', RECORDS)}
${section('process', 'Process')}
${section('refused', 'Not followed')}
</main>
<footer><p>As JSON: <a href="status">status</a>, <a href="ledger">ledger</a></p></footer>
<noscript><p>This page needs JavaScript; <a href="status">status</a> and <a href="ledger">ledger</a> are the same as JSON.</p></noscript>
<script>${SCRIPT}</script>
</body>
</html>
`

const allow = (code: string) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`

/** Headers of the page. */
export const POLICY = {
  'content-security-policy':
    `default-src 'none'; script-src ${allow(SCRIPT)}; style-src ${allow(STYLE)}; connect-src 'self'; img-src data:; ` +
    `base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'referrer-policy': 'no-referrer',
} as const
