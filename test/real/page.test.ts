/**
 * The status page in a real browser, over a real shipper: what a person sees of a backend that dies and comes back,
 * and of records that are sent.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { refuse, Stage, until } from '../program.ts'
import { Chromium } from '../support/chromium.ts'
import { isInstalled } from '../support/daemon.ts'
import { untested } from '../support/untested.ts'

// Chromium alone takes long to start where others use the machine.
t.setTimeout(900_000)
if (isInstalled('chromium')) tests()
else untested(t, 'the page in a browser', 'no chromium on this machine')

/** The text of an element, by its id. */
const textOf = (id: string): string => `document.getElementById(${JSON.stringify(id)}).innerText`

/** Each text that stands out less than 4.5 to 1 from what is behind it (WCAG 2, level AA). */
const FAINT = `(() => {
  const parts = color => color.match(/[\\d.]+/g).map(Number)
  const light = color => {
    const [r, g, b] = parts(color).map(n => n / 255).map(n => n <= 0.03928 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor
      if ((parts(color)[3] ?? 1) > 0) return color
    }
    return 'rgb(255, 255, 255)'
  }
  const texts = [...document.querySelectorAll('body *')].filter(({ childNodes, offsetParent }) =>
    offsetParent && [...childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim()))
  return texts.flatMap(element => {
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))]
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    return contrast < 4.5 ? [element.textContent.slice(0, 40) + ': ' + contrast.toFixed(1)] : []
  })
})()`

/** Tables without a name, or without headers of columns and rows. */
const NAMELESS = `[...document.querySelectorAll('table')].filter(table =>
  !document.getElementById(table.getAttribute('aria-labelledby'))?.textContent ||
  !table.querySelector('thead th[scope=col]') ||
  [...table.tBodies[0].rows].some(({ cells }) => cells[0].tagName !== 'TH' || cells[0].scope !== 'row')).length`

async function screenshot(t: Test, chromium: Chromium, directory: string, name: string): Promise<void> {
  const { data } = (await chromium.send('Page.captureScreenshot', { captureBeyondViewport: true })) as { data: string }
  const file = join(directory, `${name}.png`)
  writeFileSync(file, Buffer.from(data, 'base64'))
  t.strictSame(readFileSync(file).subarray(1, 4).toString(), 'PNG', file)
}

function tests(): void {
  t.test('a person sees which backend died, in the server’s words, and that it came back', async t => {
    const chromium = await Chromium.start(t)
    if (chromium === undefined) t.plan(0, 'chromium does not start on this machine')
    else await person(t, chromium)
  })
}

async function person(t: Test, chromium: Chromium): Promise<void> {
  const stage = await Stage.set(t)
  const directory = join(stage.logs, '..')
  const hostile = '<img src=x onerror=hostile=1>.log'
  stage.write(10, join(stage.logs, hostile))
  const program = await stage.start()
  const port = program.said.find(({ msg }) => msg === 'listening')?.['adminPort'] as number
  const origin = `http://127.0.0.1:${port}`
  await chromium.send('Page.navigate', { url: `${origin}/` })
  t.ok(await chromium.holds(`document.readyState === 'complete' && ${textOf('state')} === 'ok'`), 'all is well')
  t.ok(await chromium.holds(`/\\bup\\b/.test(${textOf('backends')})`))
  t.ok(await chromium.holds(`${textOf('files')}.includes(${JSON.stringify(hostile)})`), 'a name is text')

  stage.receiver.behaviour = refuse(503)
  stage.write(10)
  t.ok(await chromium.holds(`${textOf('faults')}.includes(' is down: http_503')`), 'what is wrong stands first')
  t.equal(await chromium.value(textOf('state')), 'degraded')
  t.ok(await chromium.holds(`/attempt[^]*next in/.test(${textOf('backends')})`))
  t.ok(await chromium.holds(`${textOf('backends')}.includes('“no”')`), 'the server’s own words')
  for (const scheme of ['light', 'dark']) {
    await chromium.send('Emulation.setEmulatedMedia', {
      features: [{ name: 'prefers-color-scheme', value: scheme }],
    })
    t.strictSame(await chromium.value(FAINT), [], `${scheme}: every text stands out`)
    await screenshot(t, chromium, directory, scheme)
  }

  stage.receiver.behaviour = undefined
  t.ok(await chromium.holds(`${textOf('state')} === 'ok' && ${textOf('faults')} === ''`), 'it came back')
  t.ok(await stage.arrived())
  t.ok(await chromium.holds(`document.getElementById('curve-delivered').getAttribute('points')`), 'there is a curve')

  const press = `document.getElementById('records-button').click()`
  await chromium.value(press)
  t.ok(await chromium.holds(`${textOf('records-state')} === 'shown as they are sent'`))
  t.ok(await until(() => program.said.some(({ event }) => event === 'tap_opened')))
  stage.write(1)
  t.ok(await chromium.holds(`/delivered[^]*a line of the application/.test(${textOf('records')})`), 'what is sent')
  await screenshot(t, chromium, directory, 'records')
  await chromium.value(press)
  t.ok(await chromium.holds(`${textOf('records-state')} === 'stopped'`))

  const phone = { width: 390, height: 844, deviceScaleFactor: 1, mobile: true }
  await chromium.send('Emulation.setDeviceMetricsOverride', phone)
  t.ok(await chromium.holds('document.documentElement.scrollWidth <= 390'), 'on a phone only tables scroll sideways')
  await screenshot(t, chromium, directory, 'phone')
  t.equal(await chromium.value(NAMELESS), 0, 'each table has a name, and headers of columns and rows')
  t.equal(await chromium.value('document.querySelectorAll("header, main, footer").length'), 3, 'there are landmarks')
  t.equal(await chromium.value('document.querySelectorAll("[aria-live=polite]").length'), 2)
  t.equal(await chromium.value('typeof hostile'), 'undefined', 'no name became markup')
  t.strictSame(chromium.complaints, [], 'no error, and nothing that the policy refused')
  t.strictSame(
    [...new Set(chromium.requests)].filter(url => !url.startsWith('data:')).sort(),
    [`${origin}/`, `${origin}/status?worst`, `${origin}/tap?text=&source=&backend=`],
    'nothing else is fetched',
  )
}
