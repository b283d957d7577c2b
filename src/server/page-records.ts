/**
 * What the status page runs for its panel of records: it reads the stream `tap` from a press of the button to the next,
 * or until the page is hidden, so that it costs the shipper something only while it is read. Part of the page's
 * script, whose functions it uses; what comes is text, never markup, and the newest hundred records are kept.
 */
export const RECORDS_SCRIPT = `
const MOST_RECORDS = 100, LONGEST_LINE = 65536
const soon = globalThis.requestAnimationFrame || (draw => draw())
let looking, records = [], skipped = 0, drawing = false

function drawRecords() {
  drawing = false
  // What is said in place of records depends on more than them.
  if (records.length === 0) delete shown.records
  table('records', ['when', 'verdict', 'source', 'backend', 'path', 'record'], records.map(r => [
    clip(r.at, 30), [clip(r.verdict, 20) + (r.reason ? NL + clip(r.reason, 100) : ''), r.verdict === 'delivered' ? 'good' : r.verdict === 'dropped' ? '' : 'bad'],
    clip(r.source, 100), clip(r.backend, 100), tail(r.file) + ':' + count(r.offset), clip(r.text) + (r.bytes > 300 ? ' (' + bytes(r.bytes) + ')' : ''),
  ]), looking ? 'no record yet' : 'none')
  set($('records-more'), skipped ? plural(skipped, 'record') + ' skipped: more than are shown in a second' : '')
}

function take(line) {
  if (line.skipped) skipped += line.skipped
  else records = [line, ...records].slice(0, MOST_RECORDS)
}

function endRecords(words) {
  if (looking) looking.abort()
  looking = undefined
  set($('records-button'), 'Start')
  set($('records-state'), words)
  drawRecords()
}

async function lookAtRecords() {
  const mine = looking = new AbortController()
  records = []
  skipped = 0
  set($('records-button'), 'Stop')
  set($('records-state'), 'shown as they are sent')
  drawRecords()
  const query = ['text', 'source', 'backend'].map(name => name + '=' + encodeURIComponent($('records-' + name).value)).join('&')
  let words = 'the shipper ended the stream'
  try {
    const response = await fetch('tap?' + query, { signal: mine.signal })
    if (!response.ok) words = clip(await response.text()).replace('\\\\u000a', '')
    else {
      const reader = response.body.getReader(), decoder = new TextDecoder()
      for (let rest = ''; rest.length < LONGEST_LINE;) {
        const { value, done } = await reader.read()
        if (done) break
        const lines = (rest + decoder.decode(value, { stream: true })).split(NL)
        rest = lines.pop()
        for (const line of lines) if (line) take(JSON.parse(line))
        if (!drawing) { drawing = true; soon(drawRecords) }
      }
    }
  } catch { words = 'no answer, or the stream broke off' }
  if (looking === mine) endRecords(words)
}

$('records-button').addEventListener('click', () => looking ? endRecords('stopped') : lookAtRecords())
document.addEventListener('visibilitychange', () => { if (looking && document.hidden) endRecords('stopped, for the page was hidden') })
drawRecords()
`
