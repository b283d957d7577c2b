/**
 * The peers that this machine has: Fluent Bit where FLUENT_BIT_BIN says, syslog-ng and rsyslog (Debian's packages) where
 * SYSLOG_NG_BIN and RSYSLOGD_BIN say or where they are installed. Debian lets only one of those two be installed; both
 * run from where their packages were unpacked (`unpack`), with LD_LIBRARY_PATH, SYSLOG_NG_MODULES and RSYSLOG_MODULES.
 */
import { fluentBit } from './fluent-bit.ts'
import type { Peer } from './peer.ts'
import { rsyslog } from './rsyslog.ts'
import { syslogNg } from './syslog-ng.ts'

/** For each that is not here `absent` is called with one line that says why. */
export function peers(absent: (why: string) => void): Peer[] {
  return [fluentBit(), syslogNg(), rsyslog()].flatMap(peer => {
    if (typeof peer !== 'string') return [peer]
    absent(peer)
    return []
  })
}
