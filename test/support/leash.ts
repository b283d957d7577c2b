/**
 * Programs that a test started end with it, however it ends. A test that runs out of time is killed and takes nothing
 * down: a program that went on would hold its state directory, and the next run of that test could not have it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'

/** Its standard input ends when this process does; what still runs then is killed. */
const WARDEN = `
live=' '
while read -r what pid; do
  case $what in
    began) live="$live$pid " ;;
    ended) case $live in *" $pid "*) live="\${live%% $pid *} \${live#* $pid }" ;; esac ;;
  esac
done
kill -KILL $live
`

let warden: ChildProcess | undefined

function say(what: 'began' | 'ended', pid: number): void {
  if (warden === undefined) {
    // A session of its own: a signal for the group of the test must not reach it.
    warden = spawn('sh', ['-c', WARDEN], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    warden.unref()
    const input = warden.stdin as Socket
    input.unref()
    input.on('error', () => {})
  }
  warden.stdin!.write(`${what} ${pid}\n`)
}

/** `pid`: of another process that began with it and may outlive it. */
export function leash<Child extends ChildProcess>(child: Child, pid = child.pid): Child {
  if (pid === undefined) return child
  say('began', pid)
  child.once('exit', () => say('ended', pid))
  return child
}
