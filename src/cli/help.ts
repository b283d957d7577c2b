/** What `logshipper --help` prints. */
export const HELP = `logshipper: ships log files, and accounts for every byte

usage
  logshipper [run] [--config FILE] [PATH …]   follow files and ship them; this is the default
  logshipper validate [--config FILE]         check the configuration, without any request
  logshipper check [--backend NAME]           send each backend one line, and say what it answers
  logshipper status [--admin HOST:PORT]       what the running shipper is doing
  logshipper ledger [--admin HOST:PORT]       the account of every byte
  logshipper replay [--backend NAME]          send what a backend refused (its dead letters) again
  logshipper schema                           the JSON Schema of the configuration
  logshipper demo                             see it work, and be killed, in twenty seconds

options
  -c, --config FILE    default: /etc/logshipper/config.yaml, if it is there
      --admin ADDRESS  where to ask; default 127.0.0.1:9615
      --json           status, ledger: as JSON
      --backend NAME   check, replay: only this one
  -h, --help           this
  -v, --version        the version

examples
  logshipper /opt/logs.txt                    like tail -F, file not there yet included
  logshipper '/var/log/app/*.log' > all.log

  LOGSHIPPER_SOURCE_PATHS='/var/log/app/*.log' \\
  LOGSHIPPER_BACKEND_TYPE=http \\
  LOGSHIPPER_BACKEND_ENDPOINT=http://collector:8080/ingest logshipper

Every key of the configuration can be set by environment: LOGSHIPPER_ and the key in upper snake case, where SOURCE and
BACKEND mean the first of each list. The environment wins over the file.

exit codes
  0 done, everything drained   1 unexpected   2 configuration   3 something is left; the ledger says what`
