/** What `logshipper --help` prints. */
export const HELP = `logshipper: ships log files, and accounts for every byte

usage
  logshipper [run] [--config FILE] [PATH …]   follow files and ship them; this is the default
  logshipper validate [--config FILE]         check the configuration, without any request
  logshipper config [--config FILE]           every value of the configuration, and who said it
  logshipper test [--backend NAME] < SAMPLE   the request that each backend would get for these lines
  logshipper check [--backend NAME]           send each backend one line, and say what it answers
  logshipper status [--admin HOST:PORT]       what the running shipper is doing
  logshipper ledger [--admin HOST:PORT]       the account of every byte
  logshipper prestop [--admin HOST:PORT]      the preStop hook: the grace period counts from here
  logshipper replay [--backend NAME]          send what a backend refused (its dead letters) again
  logshipper doctor MANIFEST …                what is wrong with the shipper of a pod, and which line to change
  logshipper inject MANIFEST                  the manifest with the shipper added, all else as it was
  logshipper schema                           the JSON Schema of the configuration
  logshipper demo                             see it work, and be killed, in twenty seconds

options
  -c, --config FILE    default: /etc/logshipper/config.yaml, if it is there
      --admin ADDRESS  where to ask; default 127.0.0.1:9615
      --json           status, ledger, config, doctor: as JSON
      --backend NAME   test, check, replay: only this one
      --drain-seconds  doctor: how long a drain was seen to take
      --volume NAME    inject: the volume of the logs; default: the annotation logshipper.io/volume, or logs
      --paths GLOBS    inject: what to follow, as the shipper sees it; default: /var/log/app/**/*.log
      --image IMAGE    inject: default logshipper of this version
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
