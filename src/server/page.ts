/**
 * The status page: one document that asks `status` every second. Everything from outside becomes text nodes, never
 * markup, for path names may hold anything; and the policy lets no other script run and nothing else be fetched.
 */
import { createHash } from 'node:crypto'

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
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
`

const SCRIPT = `
'use strict'
const $ = id => document.getElementById(id)
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const bytes = n => { let u = 0; while (n >= 1024 && u < 4) { n /= 1024; u++ } return (u ? n.toFixed(1) : Math.round(n)) + ' ' + units[u] }
const count = n => n.toLocaleString('en')
const plural = (n, noun) => count(n) + ' ' + noun + (n === 1 ? '' : 's')
const total = reasons => Object.values(reasons).reduce((a, t) => ({ lines: a.lines + t.lines, bytes: a.bytes + t.bytes }), { lines: 0, bytes: 0 })
const tally = t => plural(t.lines, 'line') + String.fromCharCode(10) + bytes(t.bytes)
const why = reasons => Object.keys(reasons).length ? String.fromCharCode(10) + Object.keys(reasons).join(', ') : ''
const span = s => s < 120 ? s.toFixed(s < 10 ? 1 : 0) + ' s' : s < 7200 ? (s / 60).toFixed(0) + ' min' : s < 172800 ? (s / 3600).toFixed(0) + ' h' : (s / 86400).toFixed(0) + ' d'
const ago = (then, now) => span(between(then, now)) + ' ago'
const lines = (...all) => all.filter(Boolean).join(String.fromCharCode(10))
const between = (then, now) => Math.max(0, (Date.parse(now) - Date.parse(then)) / 1000)
const set = (node, text, mark) => { if (node.textContent !== text) node.textContent = text; node.className = mark || '' }
const shown = {}
let last

// heads: a leading # is a column of numbers; rows: cells are text, or text with a class
function table(id, heads, rows, none) {
  // An unchanged table stays, and with it a selection in it.
  const key = JSON.stringify(rows)
  if (shown[id] === key) return
  shown[id] = key
  if (rows.length === 0) { const p = document.createElement('p'); p.textContent = none; $(id).replaceChildren(p); return }
  const table = document.createElement('table')
  table.setAttribute('aria-labelledby', id + '-title')
  const head = table.createTHead().insertRow()
  const kind = heads.map(h => h[0] === '#' ? 'n ' : h === 'path' ? 'path ' : '')
  heads.forEach((h, i) => { const th = document.createElement('th'); th.scope = 'col'; th.textContent = h.replace('#', ''); th.className = kind[i]; head.append(th) })
  const body = table.createTBody()
  for (const cells of rows) {
    const row = body.insertRow()
    cells.forEach((cell, i) => {
      const td = row.insertCell()
      const [text, mark] = Array.isArray(cell) ? cell : [cell]
      td.textContent = text
      td.className = 'cell ' + kind[i] + (mark || '')
    })
  }
  $(id).replaceChildren(table)
}

function backend(s, b, seconds) {
  const p = s.pipelines.find(p => p.backend === b.name)
  const delivered = of => of.ledger.reduce((sum, l) => l.backend === b.name ? sum + l.statement.delivered.bytes : sum, 0)
  const next = b.nextAttempt ? ', next in ' + span(between(s.at, b.nextAttempt)) : ''
  const failed = p && p.lastError
  return [
    lines(b.name + ' (' + b.type + ')', p && p.endpoint),
    b.state === 'up' ? ['up', 'good'] : [lines(b.state + ': ' + b.reason, plural(b.attempts, 'attempt') + next), 'bad'],
    bytes(b.lagBytes),
    span(b.lagSeconds),
    seconds > 0 ? bytes(Math.max(0, delivered(s) - delivered(last)) / seconds) + '/s' : '–',
    b.lastDelivered ? ago(b.lastDelivered, s.at) : 'never',
    p ? bytes(p.budget.used) + ' of ' + bytes(p.budget.total) : '–',
    p ? count(Object.values(p.retries).reduce((a, n) => a + n, 0)) : '–',
    failed ? lines(failed.reason + ', ' + ago(failed.at, s.at), failed.detail) : 'none',
    p && p.deadLetters ? lines(plural(p.deadLetters.written, 'record') + ', ' + bytes(p.deadLetters.bytes), p.deadLetters.omitted ? count(p.deadLetters.omitted) + ' not kept' : '') : 'off',
  ]
}

function account({ source, backend, statement: t }) {
  const rejected = total(t.rejected), dropped = total(t.dropped)
  const holds = ['lines', 'bytes'].every(k => t.read[k] === t.delivered[k] + rejected[k] + dropped[k] + t.inFlight[k])
  return [
    source, backend, tally(t.read), tally(t.delivered),
    [tally(rejected) + why(t.rejected), rejected.lines ? 'bad' : ''], tally(dropped) + why(t.dropped), tally(t.inFlight),
    holds ? ['adds up', 'good'] : ['does not add up', 'bad'],
    [bytes(t.lostBytes), t.lostBytes ? 'bad' : ''],
  ]
}

function file(f) {
  const each = value => f.cursors.map(value).join(String.fromCharCode(10)) || '–'
  return [f.path, f.source, f.state, bytes(f.size), each(c => c.backend), each(c => bytes(c.read)), each(c => bytes(c.committed)),
    each(c => bytes(Math.max(0, f.size - c.committed))), each(c => span(c.lagSeconds))]
}

function show(s) {
  set($('state'), s.draining ? 'draining' : s.health.status, s.health.status === 'ok' ? 'good' : 'bad')
  const { namespace, pod, node } = s.identity
  set($('who'), lines(pod ? (namespace ? namespace + '/' : '') + pod : '', node ? 'on ' + node : '').replace(String.fromCharCode(10), ' '))
  document.title = pod ? pod + ' · logshipper' : 'logshipper'
  const refusal = s.health.configuration.kind === 'refused'
  $('configuration').hidden = !refusal
  if (refusal) set($('problems'), lines('The configuration was refused ' + ago(s.health.configuration.since, s.at) + '; the previous one stays in use.', ...s.problems, s.more.problems ? 'and ' + count(s.more.problems) + ' more' : ''), 'cell bad')
  const kept = s.health.state, watch = s.health.watch
  set($('line'), 'version ' + s.health.version + ', started ' + ago(s.startedAt, s.at) +
    ' · checkpoint ' +
    (kept.kind === 'failing' ? 'cannot be written (' + kept.code + ')' :
      kept.kind === 'saving' ? 'being written for ' + kept.seconds + ' s' : kept.kind === 'memory' ? 'in memory only' : 'saved') +
    ' · ' + (watch.mode === 'events' ? 'watching' : 'polling: ' + watch.reason))
  const seconds = last ? (Date.parse(s.at) - Date.parse(last.at)) / 1000 : 0
  table('backends', ['backend', 'state', '#lag', '#lag time', '#delivering', '#last delivered', '#budget', '#retries', 'last error', 'dead letters'],
    s.health.backends.map(b => backend(s, b, seconds)), 'none')
  table('ledger', ['source', 'backend', '#read', '#= delivered', '#+ rejected', '#+ dropped', '#+ in flight', '', '#lost'],
    s.ledger.map(account), 'nothing has been read yet')
  table('files', ['path', 'source', 'state', '#size', 'backend', '#read', '#acknowledged', '#lag', '#lag time'], s.files.map(file), 'no file matches yet')
  table('refused', ['path', 'source', 'why'], s.refused.map(r => [r.path, r.source, r.reason]), 'nothing')
  set($('files-more'), s.more.files ? 'and ' + count(s.more.files) + ' more' : '')
  set($('refused-more'), s.more.refused ? 'and ' + count(s.more.refused) + ' more' : '')
  last = s
}

async function turn() {
  try {
    const response = await fetch('status', { signal: AbortSignal.timeout(5000) })
    show(await response.json())
  } catch { set($('state'), 'no answer', 'bad') }
  setTimeout(turn, 1000)
}
turn()
`

const section = (id: string, title: string, words = '') => `<section>
<h2 id="${id}-title">${title}</h2>${words}
<div class="scroll" id="${id}" tabindex="0" role="region" aria-labelledby="${id}-title"><p>…</p></div>
<p id="${id}-more"></p>
</section>`

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
<main>
<header><h1>logshipper</h1><span id="who"></span><span id="state" role="status">…</span></header>
<p id="line"></p>
<section id="configuration" hidden><h2>Configuration</h2><p id="problems"></p></section>
${section('backends', 'Backends')}
${section('ledger', 'Ledger', '<p>Read = delivered + rejected + dropped by a policy + in flight. Lost: truncated or deleted before it could be read.</p>')}
${section('files', 'Files')}
${section('refused', 'Not followed')}
</main>
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
