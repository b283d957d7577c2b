/** Twelve ways in which people write paths that match nothing, and what they meant. */
import t from 'tap'
import { meaningOf, notAbsolute } from '../../../src/tail/patterns/meaning.ts'

t.test('a pattern is taken apart into where it begins and what follows', t => {
  const { directories, names, doubts } = meaningOf('/var/log/app/**/*.log')
  t.strictSame(directories, ['/var/log/app'])
  t.equal(names, '*.log')
  t.strictSame(doubts, [])
  t.strictSame(meaningOf('/var/log/app/').names, '*')
  t.strictSame(meaningOf('/var/log/{a,b}/*.log').directories, ['/var/log/a', '/var/log/b'])
  t.strictSame(meaningOf('/var/log/\\[prod\\]/app (1)/*.log').directories, ['/var/log/[prod]/app (1)'])
  t.end()
})

t.test('what is likely to mean something else is said', t => {
  const cases: [written: string, doubt: RegExp][] = [
    ['/var/log/$(POD_NAME)/*.log', /Kubernetes/],
    ['/var/log/${POD_NAME}/*.log', /only values of the configuration file/],
    ['/var/log/$POD_NAME/*.log', /write \$\{NAME\}/],
    ['/var/log/{{ .Values.name }}/*.log', /template/],
    ['/var/log/app/*.log ', /ends with a space/],
    ['/home/me/~/x.log', /home directory/],
    ['/var/log/"app"/*.log', /quotes/],
    ['/var\\log\\app\\*.log', /backslash/],
    ['/work/C:/logs/*.log', /Windows/],
    ['/work/file:/var/log/*.log', /file:/],
    ['/var/log/{web}/*.log', /one alternative/],
    ['/var/log/**.log', /stands alone/],
    ['/var/log/a.log, /var/log/b.log', /two entries/],
    ['/var/log/.*\\.log', /regular expression/],
  ]
  for (const [written, doubt] of cases) t.match(meaningOf(written).doubts.join('\n'), doubt, written)
  t.end()
})

t.test('what is meant as it is written raises no doubt', t => {
  for (const written of [
    '/var/log/app/*.log',
    '/var/log/**/*.log',
    '/var/log/{a,b}.log',
    '/var/log/app{1..3}.log',
    '/var/log/app (1)/*.log',
    '/var/log/\\[prod\\]/*.log',
    '/var/log/日本/*.log',
    '/var/log/a,b.log',
    '/var/log/.hidden',
    '/var/log/c++/*.log',
  ]) {
    t.strictSame(meaningOf(written).doubts, [], written)
  }
  t.end()
})

t.test('what is no absolute path is refused with what is wrong about it', t => {
  for (const [written, slip] of [
    ['~/x.log', /~ is not expanded/],
    ['"/var/log/x.log"', /without quotes/],
    ["'/var/log/x.log'", /without quotes/],
    ['file:///var/log/x.log', /without file:/],
    ['C:\\logs\\x.log', /without a drive/],
    ['C:/logs/x.log', /without a drive/],
    ['\\\\server\\logs', /without a drive/],
    ['$(LOGS)/x.log', /not expanded/],
    [' /var/log/x.log', /without a space/],
  ] as const) {
    t.match(notAbsolute(written), slip, written)
  }
  t.equal(notAbsolute('logs/x.log'), 'an absolute path or glob, such as /var/log/app/*.log')
  t.end()
})
