/** The code of an error, whatever was thrown. */
import t from 'tap'
import { codeOf } from '../src/errors.ts'

t.test('the code is that of the error, or of its cause', t => {
  t.equal(codeOf(Object.assign(new Error('no'), { code: 'ENOENT' })), 'ENOENT')
  t.equal(codeOf(new Error('no', { cause: { code: 'EPIPE' } })), 'EPIPE')
  for (const thrown of [undefined, null, 'ENOENT', {}, new Error('no')]) t.equal(codeOf(thrown), 'UNKNOWN')
  t.end()
})

t.test('an error that libuv has no name for is called as the system calls it', t => {
  t.equal(codeOf({ code: 'Unknown system error -122' }), 'EDQUOT')
  t.equal(codeOf({ code: 'Unknown system error -99999' }), 'ERRNO_99999')
  t.end()
})
