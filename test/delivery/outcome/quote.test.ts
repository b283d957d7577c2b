import t from 'tap'
import { quote } from '../../../src/delivery/outcome/quote.ts'

const FRAMES = Buffer.from('user=alice password=hunter2 session=9f8e7d6c\nGET /health 200\n')

t.test('a short message is quoted in one line', async t => {
  t.equal(quote('  unknown field\r\n\t"ts" \x1b[31m at 1:2 ', FRAMES), 'unknown field "ts" [31m at 1:2')
  t.equal(quote('x'.repeat(300), FRAMES)?.length, 200)
})

t.test('a message that echoes a frame is not quoted, wherever the echo begins', async t => {
  for (let shift = 0; shift < 8; shift++) {
    t.equal(quote(`${'-'.repeat(shift)}cannot parse 'password=hunter2 session'`, FRAMES), undefined)
  }
})

t.test('pages, empty messages and none at all are not quoted', async t => {
  t.equal(quote(`<html>${' '.repeat(2000)}`, FRAMES), undefined)
  t.equal(quote(' \n\0', FRAMES), undefined)
  t.equal(quote(undefined, FRAMES), undefined)
})

t.test('the value of a field that Elasticsearch repeats is left out, however short it is', async t => {
  const said = "failed to parse field [user] of type [long] in document with id '7'. Preview of field's value: 'al'"
  t.equal(
    quote(said, FRAMES),
    "failed to parse field [user] of type [long] in document with id '7'. Preview of field's value: …",
  )
  t.equal(quote('For input string: "al"', FRAMES), 'For input string: …')
})
