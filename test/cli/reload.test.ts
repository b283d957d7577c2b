/** What the watch over the configuration knows of mounts. The rest is in test/shipper/reload.test.ts. */
import t from 'tap'
import { mountPoints } from '../../src/cli/reload.ts'

t.test('mount points are found among the mounts, blanks in their names too', async t => {
  const lines = [
    '36 35 98:0 / / rw,noatime - overlay overlay rw',
    '514 36 8:1 /kubelet/pods/1/volume-subpaths/config/0 /etc/logshipper/config.yaml ro,relatime - ext4 /dev/sda1 rw',
    '515 36 8:1 /x /var/log\\040of\\134us rw shared:1 - ext4 /dev/sda1 rw',
    '',
  ]
  t.strictSame(mountPoints(lines.join('\n')), ['/', '/etc/logshipper/config.yaml', '/var/log of\\us'])
})
