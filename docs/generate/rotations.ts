/** The table of rotations that are tested, from the tests. */
import { loggers } from '../../test/rotation/loggers.ts'
import { logrotate } from '../../test/rotation/logrotate.ts'
import { schemes } from '../../test/rotation/names.ts'
import type { Rotation } from '../../test/rotation/rotation.ts'
import { tools } from '../../test/rotation/tools.ts'

export function rotations(): string {
  const row = ({ name, follows = ['app.log'] }: Rotation, by: string) =>
    `| ${by} | ${name} | ${follows.map(each => `\`${each}\``).join(', ')} |`
  return [
    '| By | Rotation | Followed |',
    '| --- | --- | --- |',
    ...logrotate.map(each => row(each, 'logrotate')),
    ...tools.map(each => row(each, 'a tool or a handler')),
    ...loggers.map(each => row(each, 'the system calls of a logger')),
    '',
    '| Names | Followed | Rotated to |',
    '| --- | --- | --- |',
    ...schemes.map(({ name, current = 'app.log', rotated }) => `| ${name} | \`${current}\` | \`${rotated(1)}\` |`),
  ].join('\n')
}
