/**
 * What the status page runs: it asks for `status?worst` every second and shows the answer. Everything from outside
 * becomes text nodes, never markup, bounded in length and number; ten minutes of throughput are kept in the page, so who
 * does not look costs the shipper nothing.
 */
import { RECORDS_SCRIPT } from './page-records.ts'

export const SCRIPT = `
'use strict'
const $ = id => document.getElementById(id)
const NL = String.fromCharCode(10)
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
const bytes = n => { let u = 0; while (n >= 1024 && u < 4) { n /= 1024; u++ } return (u ? n.toFixed(1) : Math.round(n)) + ' ' + units[u] }
const count = n => n.toLocaleString('en')
const plural = (n, noun) => count(n) + ' ' + noun + (n === 1 ? '' : 's')
const add = (a, b) => ({ lines: a.lines + b.lines, bytes: a.bytes + b.bytes })
const total = reasons => Object.values(reasons).reduce(add, { lines: 0, bytes: 0 })
const tally = t => plural(t.lines, 'line') + NL + bytes(t.bytes)
const why = reasons => Object.keys(reasons).slice(0, 10).map(reason => NL + clip(reason)).join('')
const span = s => s < 120 ? s.toFixed(s < 10 ? 1 : 0) + ' s' : s < 7200 ? (s / 60).toFixed(0) + ' min' : s < 172800 ? (s / 3600).toFixed(0) + ' h' : (s / 86400).toFixed(0) + ' d'
const between = (then, now) => Math.max(0, (Date.parse(now) - Date.parse(then)) / 1000)
const ago = (then, now) => span(between(then, now)) + ' ago'
const lines = (...all) => all.filter(Boolean).join(NL)
const more = n => n ? 'and ' + count(n) + ' more' : ''
// Control characters, and marks that turn the direction of text, are shown and not obeyed.
const plain = text => String(text).replace(/[\\x00-\\x1f\\x7f-\\x9f\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]/g, c => '\\\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'))
const clip = (text, most = 300) => { const all = plain(text); return all.length > most ? all.slice(0, most) + '…' : all }
// The end of a path says more than its beginning.
const tail = path => { const all = plain(path); return all.length > 200 ? '…' + all.slice(-200) : all }
const set = (node, text, mark) => { if (node.textContent !== text) node.textContent = text; node.className = mark || '' }
const shown = {}
let last

// heads: a leading # is a column of numbers; rows: cells are text, or text with a class. The first cell names the row.
function table(id, heads, rows, none) {
  // An unchanged table stays, and with it a selection in it.
  const key = JSON.stringify(rows)
  if (shown[id] === key) return
  shown[id] = key
  if (rows.length === 0) { const p = document.createElement('p'); p.textContent = none; $(id).replaceChildren(p); return }
  const table = document.createElement('table')
  table.setAttribute('aria-labelledby', id + '-title')
  const head = table.createTHead().insertRow()
  const kind = heads.map(h => h[0] === '#' ? 'n ' : h === 'path' || h === 'command' ? 'path ' : '')
  heads.forEach((h, i) => { const th = document.createElement('th'); th.scope = 'col'; th.textContent = h.replace('#', ''); th.className = kind[i]; head.append(th) })
  const body = table.createTBody()
  for (const cells of rows) {
    const row = body.insertRow()
    cells.forEach((cell, i) => {
      const [text, mark] = Array.isArray(cell) ? cell : [cell]
      const each = document.createElement(i ? 'td' : 'th')
      if (i === 0) each.scope = 'row'
      each.textContent = text
      each.className = 'cell ' + kind[i] + (mark || '')
      row.append(each)
    })
  }
  $(id).replaceChildren(table)
}

const sums = s => s.ledger.reduce((sum, { statement: t }) => ({ read: sum.read + t.read.bytes, delivered: sum.delivered + t.delivered.bytes }), { read: 0, delivered: 0 })
const holds = t => ['lines', 'bytes'].every(k => t.read[k] === t.delivered[k] + total(t.rejected)[k] + total(t.dropped)[k] + t.inFlight[k])

function backend(s, b, before) {
  const seconds = before ? between(before.at, s.at) : 0
  const p = s.pipelines.find(p => p.backend === b.name)
  const delivered = of => of.ledger.reduce((sum, l) => l.backend === b.name ? sum + l.statement.delivered.bytes : sum, 0)
  const next = b.nextAttempt ? ', next in ' + span(between(s.at, b.nextAttempt)) : ''
  const failed = p && p.lastError
  const stalled = b.stalledSince && 'stalled for ' + span(between(b.stalledSince, s.at)) + ' (a bug)'
  return [
    lines(clip(b.name, 100) + ' (' + b.type + ')', p && p.endpoint && clip(p.endpoint)),
    b.state === 'up' ? [lines('up', stalled), stalled ? 'bad' : 'good']
      : [lines(b.state + ': ' + clip(b.reason), b.since && 'for ' + span(between(b.since, s.at)), plural(b.attempts, 'attempt') + next, stalled), 'bad'],
    failed ? lines(clip(failed.reason) + ', ' + ago(failed.at, s.at), failed.detail && '“' + clip(failed.detail) + '”') : 'none',
    bytes(b.lagBytes),
    span(b.lagSeconds),
    seconds > 0 ? bytes(Math.max(0, delivered(s) - delivered(before)) / seconds) + '/s' : '–',
    b.lastDelivered ? ago(b.lastDelivered, s.at) : 'never',
    p ? bytes(p.budget.used) + ' of ' + bytes(p.budget.total) : '–',
    p ? count(Object.values(p.retries).reduce((a, n) => a + n, 0)) : '–',
  ]
}

const row = (source, backend, t, rejected, dropped, reasons) => [
  source, backend, tally(t.read), tally(t.delivered),
  [tally(rejected) + (reasons ? why(t.rejected) : ''), rejected.lines ? 'bad' : ''], tally(dropped) + (reasons ? why(t.dropped) : ''), tally(t.inFlight),
]
const verdict = (good, lost) => [good ? ['adds up', 'good'] : ['does not add up', 'bad'], [bytes(lost), lost ? 'bad' : '']]

function accounts(ledger) {
  const rows = ledger.slice(0, 200).map(({ source, backend, statement: t }) =>
    [...row(clip(source, 100), clip(backend, 100), t, total(t.rejected), total(t.dropped), true), ...verdict(holds(t), t.lostBytes)])
  if (ledger.length < 2) return rows
  const zero = { lines: 0, bytes: 0 }
  const sum = of => ledger.reduce((all, { statement }) => add(all, of(statement)), zero)
  const all = { read: sum(t => t.read), delivered: sum(t => t.delivered), inFlight: sum(t => t.inFlight) }
  return [...rows, [
    ...row('sum', 'all', all, sum(t => total(t.rejected)), sum(t => total(t.dropped)), false),
    ...verdict(ledger.every(({ statement }) => holds(statement)), ledger.reduce((n, { statement: t }) => n + t.lostBytes, 0)),
  ]]
}

// A word of a command: what a shell would not take as it is stands in single quotes.
const word = text => /^[A-Za-z0-9_.-]+$/.test(text) ? text : "'" + plain(text).replaceAll("'", "'\\\\''") + "'"

function letters(s) {
  const { namespace, pod } = s.identity
  const inside = pod ? 'kubectl exec ' + (namespace ? '-n ' + word(namespace) + ' ' : '') + word(pod) + ' -c logshipper -- ' : ''
  return s.pipelines.filter(p => p.deadLetters).map(({ backend, deadLetters: d }) => {
    const reasons = {}
    for (const l of s.ledger) if (l.backend === backend) for (const [reason, t] of Object.entries(l.statement.rejected)) reasons[reason] = (reasons[reason] || 0) + t.lines
    return [
      clip(backend, 100), plural(d.written, 'record'), [count(d.omitted), d.omitted ? 'bad' : ''], bytes(d.bytes),
      Object.entries(reasons).slice(0, 10).map(([reason, n]) => clip(reason) + ': ' + plural(n, 'line')).join(NL) || 'none',
      d.bytes ? inside + 'logshipper replay --backend ' + word(backend) : 'nothing to replay',
    ]
  })
}

function file(f) {
  const each = value => f.cursors.map(value).join(NL) || '–'
  const state = f.state === 'waiting' ? 'waiting for a descriptor' : f.state
  return [tail(f.path), clip(f.source, 100), state, each(c => clip(c.backend, 100)), each(c => bytes(Math.max(0, f.size - c.committed))),
    each(c => span(c.lagSeconds)), bytes(f.size), each(c => bytes(c.read)), each(c => bytes(c.committed))]
}

function checkpoint(kept, now) {
  switch (kept.kind) {
    case 'failing': return ['cannot be written for ' + span(between(kept.since, now)) + ' (' + clip(kept.code) + ')', 'bad']
    case 'saving': return ['being written for ' + kept.seconds + ' s', 'bad']
    case 'memory': return 'in memory only'
    default: return 'saved'
  }
}

function facts(s) {
  const { version, previous: p, state, watch, configuration: c, memory: m, volume: v } = s.health
  const of = limit => limit === null ? '' : ' of ' + bytes(limit)
  return [
    ['version', clip(version, 100)],
    ['started', ago(s.startedAt, s.at) + ', ' + s.startedAt],
    ['process before it', p.kind === 'unclean' ? ['did not shut down cleanly: ' + bytes(p.unsettledBytes) + ' were unacknowledged, ' + bytes(p.lostBytes) + ' lost', 'bad']
      : p.kind === 'clean' ? 'shut down cleanly' : 'none that left a checkpoint'],
    ['configuration', c.kind === 'refused' ? ['an edit was refused ' + ago(c.since, s.at) + '; the previous one is in effect', 'bad']
      : 'in effect since ' + c.since + ', ' + ago(c.since, s.at) + NL + plural(s.reloads.applied, 'reload') + ' applied, ' + count(s.reloads.refused) + ' refused'],
    ['checkpoint', checkpoint(state, s.at)],
    ['changes are seen by', watch.mode === 'events' ? 'watching' : 'polling: ' + clip(watch.reason)],
    ['memory', m.anonymous === null ? 'not known' : bytes(m.anonymous) + of(m.limit) + '; memory.budget ' + bytes(m.budget)],
    ['volume', v ? bytes(v.bytes) + of(v.limit) + (v.secondsLeft === null ? '' : ', full in ' + span(v.secondsLeft) + ' at this rate') : 'not limited (volume.sizeLimit)'],
    ['deleted files kept', bytes(s.health.heldBytes)],
  ]
}

// What a person has to see first. It changes only when a state does, for it is read out.
function faults(s) {
  return lines(
    ...s.health.backends.slice(0, 20).flatMap(b => b.state === 'up' ? b.stalledSince ? [clip(b.name, 100) + ' is stalled'] : [] : [clip(b.name, 100) + ' is ' + b.state + ': ' + clip(b.reason)]),
    s.health.configuration.kind === 'refused' && 'An edit of the configuration was refused.',
    (s.health.state.kind === 'failing' || s.health.state.kind === 'saving') && 'The checkpoint is not written.',
    s.ledger.every(({ statement }) => holds(statement)) ? '' : 'The ledger does not add up.',
  )
}

// Ten minutes in samples of five seconds, from the ledger's sums; sums that fall are those of a new process.
const SAMPLES = 120, APART = 5000, WIDE = 600, HIGH = 100
let samples = []
function throughput(s) {
  const at = Date.parse(s.at), now = sums(s), newest = samples[samples.length - 1]
  if (newest && (now.read < newest.read || now.delivered < newest.delivered || at < newest.at)) samples = []
  if (samples.length && at - samples[samples.length - 1].at < APART) return
  samples = [...samples, { at, ...now }].slice(-SAMPLES - 1).filter(each => at - each.at <= SAMPLES * APART)
  const rates = samples.slice(1).map((each, i) => {
    const before = samples[i], seconds = (each.at - before.at) / 1000
    return { at: each.at, read: (each.read - before.read) / seconds, delivered: (each.delivered - before.delivered) / seconds }
  })
  const most = Math.max(1, ...rates.flatMap(r => [r.read, r.delivered]))
  for (const kind of ['read', 'delivered']) {
    const points = rates.map(r => (WIDE - (at - r.at) / (SAMPLES * APART) * WIDE).toFixed(1) + ',' + (HIGH - r[kind] / most * HIGH).toFixed(1))
    $('curve-' + kind).setAttribute('points', points.join(' '))
  }
  const current = rates[rates.length - 1]
  set($('throughput-words'), current
    ? 'Delivered (solid) ' + bytes(current.delivered) + '/s, read (dashed) ' + bytes(current.read) + '/s; the most ' + bytes(most) + '/s in ' + span((at - samples[0].at) / 1000) + ', since this page was opened or the last ten minutes.'
    : 'Measured while this page is open: the first value comes in five seconds.')
}

function show(s) {
  const before = last
  last = s
  set($('state'), s.draining ? 'draining' : s.health.status, s.health.status === 'ok' ? 'good' : 'bad')
  set($('faults'), faults(s), 'cell bad')
  const { namespace, pod, node } = s.identity
  set($('who'), clip((pod ? (namespace ? namespace + '/' : '') + pod : '') + (pod && node ? ' ' : '') + (node ? 'on ' + node : '')))
  const { kind } = s.health.previous
  set($('line'), 'version ' + clip(s.health.version, 100) + ', started ' + ago(s.startedAt, s.at) +
    (kind === 'none' ? '' : kind === 'clean' ? '; the process before it shut down cleanly' : '; the process before it did not shut down cleanly'))
  document.title = pod ? clip(pod, 100) + ' · logshipper' : 'logshipper'
  const refusal = s.health.configuration.kind === 'refused'
  $('configuration').hidden = !refusal
  if (refusal) set($('problems'), lines('The configuration was refused ' + ago(s.health.configuration.since, s.at) + '; the previous one stays in use.', ...s.problems.map(each => clip(each)), more(s.more.problems)), 'cell bad')
  const backends = s.health.backends.slice(0, 100).map(b => backend(s, b, before))
  table('backends', ['backend', 'state', 'last error', '#lag', '#lag time', '#delivering', '#last delivered', '#budget', '#retries'], backends, 'none')
  set($('backends-more'), more(Math.max(0, s.health.backends.length - 100)))
  throughput(s)
  table('files', ['path', 'source', 'state', 'backend', '#lag', '#lag time', '#size', '#read', '#acknowledged'], s.files.slice(0, 50).map(file), 'no file matches yet')
  set($('files-more'), more(s.more.files + Math.max(0, s.files.length - 50)))
  table('letters', ['backend', '#kept since the start', '#not kept', '#to replay', 'rejected for', 'command'], letters(s), 'no backend keeps any (deadLetter)')
  table('ledger', ['source', 'backend', '#read', '#= delivered', '#+ rejected', '#+ dropped', '#+ in flight', 'verdict', '#lost'],
    accounts(s.ledger), 'nothing has been read yet')
  set($('ledger-more'), more(Math.max(0, s.ledger.length - 200)))
  table('process', ['what', 'value'], facts(s), '')
  table('refused', ['path', 'source', 'why'], s.refused.map(r => [tail(r.path), clip(r.source, 100), clip(r.reason)]), 'nothing')
  set($('refused-more'), more(s.more.refused))
}

async function turn() {
  try {
    const response = await fetch('status?worst', { signal: AbortSignal.timeout(5000) })
    show(await response.json())
  } catch { set($('state'), 'no answer', 'bad') }
  setTimeout(turn, 1000)
}
turn()
${RECORDS_SCRIPT}`
