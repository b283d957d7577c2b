/**
 * The end of the process, whatever still hangs.
 *
 * `process.exit` joins the threads that files and names are looked up on, so one name server that is silent, or one
 * network volume that does not answer, keeps a process for minutes of which all work is done; the kubelet then kills it,
 * and its exit code is lost. Where such a call is under way the process becomes another program that ends at once with
 * the code: the kernel ends the threads then, and the pid stays.
 *
 * Guarantees: all that has to be written was written before, for nothing is flushed here. A thread that is in the kernel
 * and cannot be interrupted (a disk that is gone) holds up any end, this one too.
 */

/** What runs on those threads, by the names that Node has for it. */
const ON_THREADS = /^(FSReq|GetAddrInfoReq|GetNameInfoReq)/

/** How Node ends at once, whatever the environment tells it; a signal that it held back opens no debugger there. */
const LAST = ['--disable-sigusr1', '--max-old-space-size=16', '-e', 'process.exit(Number(process.argv[1]))'] as const

export function leave(code: number): never {
  if (process.getActiveResourcesInfo().some(name => ON_THREADS.test(name))) {
    try {
      process.execve?.(process.execPath, [process.execPath, ...LAST, `${code}`], {})
    } catch {
      // The program is gone from the disk, or there is no memory: as well as we can.
    }
  }
  process.exit(code)
}
