/**
 * The status page: one document that asks `/status` every second. Everything from outside becomes text nodes, never
 * markup: path names may hold anything.
 */
export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>logshipper</title>
<style>
:root { color-scheme: light dark; --ink: #1c2330; --dim: #667085; --line: #d9dee7; --bad: #b42318; --good: #067647; --paper: #fff; --shade: #f6f7f9 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --line: #303846; --bad: #f97066; --good: #47cd89; --paper: #11161f; --shade: #181f2a } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 70rem; padding: 1.5rem }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem }
p { margin: .2rem 0; color: var(--dim) }
table { border-collapse: collapse; width: 100% } caption { text-align: left; color: var(--dim); padding-bottom: .3rem }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; color: var(--dim); font-size: .85rem } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
td.path { overflow-wrap: anywhere } .good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 }
.scroll { overflow-x: auto }
</style>
</head>
<body>
<main>
<h1>logshipper <span id="state" role="status"></span></h1>
<p id="line"></p>
<h2>Backends</h2><div class="scroll" id="backends"></div>
<h2>Ledger</h2><p>read = delivered + rejected + dropped + in flight</p><div class="scroll" id="ledger"></div>
<h2>Files</h2><div class="scroll" id="files"></div>
<h2>Not followed</h2><div class="scroll" id="refused"></div>
</main>
<script>
'use strict'
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const bytes = n => { let u = 0; while (n >= 1024 && u < 4) { n /= 1024; u++ } return (u ? n.toFixed(1) : n) + ' ' + units[u] }
const count = n => n.toLocaleString('en')
const sum = (o, k) => Object.values(o).reduce((a, t) => a + t[k], 0)
let last
function table(id, heads, rows, none) {
  const place = document.getElementById(id)
  if (rows.length === 0) { const p = document.createElement('p'); p.textContent = none; place.replaceChildren(p); return }
  const table = document.createElement('table')
  const head = table.createTHead().insertRow()
  for (const h of heads) { const th = document.createElement('th'); th.scope = 'col'; th.textContent = h.replace('#', ''); if (h[0] === '#') th.className = 'n'; head.append(th) }
  const body = table.createTBody()
  for (const cells of rows) {
    const row = body.insertRow()
    cells.forEach((cell, i) => {
      const td = row.insertCell()
      const [text, mark] = Array.isArray(cell) ? cell : [cell]
      td.textContent = text
      td.className = (heads[i][0] === '#' ? 'n ' : '') + (heads[i] === 'path' ? 'path ' : '') + (mark || '')
    })
  }
  place.replaceChildren(table)
}
function show(s) {
  const state = document.getElementById('state')
  state.textContent = s.draining ? 'draining' : s.health.status
  state.className = s.health.status === 'ok' ? 'good' : 'bad'
  const kept = s.health.state
  document.getElementById('line').textContent = 'version ' + s.health.version + ' · positions: ' +
    (kept.kind === 'failing' ? 'cannot be saved (' + kept.code + ')' : kept.kind === 'memory' ? 'in memory only' : 'saved') +
    ' · watching: ' + s.health.watch.mode + (s.health.watch.reason ? ' (' + s.health.watch.reason + ')' : '')
  const seconds = last ? (Date.parse(s.at) - Date.parse(last.at)) / 1000 : 0
  table('backends', ['backend', 'state', '#behind', '#oldest', '#rate', '#budget', '#retries'], s.health.backends.map(b => {
    const p = s.pipelines.find(p => p.backend === b.name)
    const before = last && last.pipelines.find(p => p.backend === b.name)
    return [b.name + ' (' + b.type + ')', b.state === 'up' ? ['up', 'good'] : [b.state + ': ' + b.reason + ', attempt ' + b.attempts, 'bad'],
      bytes(b.lagBytes), b.oldestUnacknowledgedSeconds.toFixed(1) + ' s',
      seconds && before ? bytes((p.payloadBytes - before.payloadBytes) / seconds) + '/s' : '–',
      bytes(p.budget.used) + ' of ' + bytes(p.budget.total), count(Object.values(p.retries).reduce((a, n) => a + n, 0))]
  }), 'none')
  table('ledger', ['source', 'backend', '#read', '#delivered', '#rejected', '#dropped', '#in flight', '#vanished'], s.ledger.map(l => {
    const t = l.statement
    const rejected = sum(t.rejected, 'lines'), dropped = sum(t.dropped, 'bytes')
    return [l.source, l.backend, count(t.read.lines) + ' lines, ' + bytes(t.read.bytes), count(t.delivered.lines) + ' lines, ' + bytes(t.delivered.bytes),
      rejected ? [count(rejected) + ' lines', 'bad'] : '0', dropped ? bytes(dropped) : '0', count(t.inFlight.lines) + ' lines', t.vanishedBytes ? [bytes(t.vanishedBytes), 'bad'] : '0']
  }), 'nothing has been read yet')
  table('files', ['path', 'source', 'state', '#size', '#read', '#acknowledged'], s.files.map(f => [f.path, f.source, f.state, bytes(f.size),
    f.cursors.map(c => bytes(c.read)).join(' / '), f.cursors.map(c => bytes(c.committed)).join(' / ')]), 'no file matches yet')
  table('refused', ['path', 'source', 'why'], s.refused.map(r => [r.path, r.source, r.reason]), 'nothing')
  last = s
}
async function turn() {
  try { show(await (await fetch('/status')).json()) }
  catch { const state = document.getElementById('state'); state.textContent = 'gone'; state.className = 'bad' }
  setTimeout(turn, 1000)
}
turn()
</script>
</body>
</html>
`
