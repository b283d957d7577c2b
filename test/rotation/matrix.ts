/**
 * The matrix: rotations by faults. Those of one fault share a program; `LONG=1` gives each its own, and has more lines.
 *
 *     ONLY=dateext node test/rotation/logrotate.test.ts              rotations or faults whose name contains this
 *     LONG=1 ONLY='copied;' node test/rotation/outage.test.ts        as in `<rotation>; <fault>`
 *
 * A file of which `ONLY` selects nothing fails.
 */
import type { Test } from 'tap'
import { type Circumstances, Rig } from './rig.ts'
import { isThere, type Rotation } from './rotation.ts'

export const LONG = process.env['LONG'] === '1'
const ONLY = process.env['ONLY'] ?? ''
/** Every pair of this file, and whether one was selected: known when all of its matrices were laid out. */
const known: string[] = []
let selected = false

process.once('exit', () => {
  if (selected || known.length === 0) return
  process.stderr.write(`ONLY=${ONLY}: found none; allowed: a part of one of\n  ${[...new Set(known)].join('\n  ')}\n`)
  process.exitCode = 1
})

export interface Fault extends Circumstances {
  readonly name: string
  readonly rotations: number
  /** `lines`: how many are written before each rotation. */
  begin(rig: Rig, lines: number): Promise<void>
  end(rig: Rig): Promise<void>
}

/** Some lines are written and rotated in peace, then a fault strikes, and lines are written and rotated meanwhile. */
export async function strike(t: Test, rotations: readonly Rotation[], fault: Fault, lines: number): Promise<void> {
  const rig = await Rig.set(t, rotations)
  await rig.start()
  // Rotations in peace, so that every tool has shown what it does to its files: those that compress with a delay take two.
  for (let turn = 0; turn < (fault.sees ? 2 : 1); turn++) {
    await rig.write(20)
    t.ok(await rig.arrived(), 'what is written in peace arrives')
    await rig.rotate()
  }
  await rig.write(20)
  t.ok(await rig.arrived(), 'what is written in peace arrives')
  await fault.begin(rig, lines)
  for (let turn = 0; turn < fault.rotations; turn++) {
    await rig.write(lines + turn)
    if (fault.sees) await rig.seen()
    await rig.rotate()
  }
  await rig.write(lines)
  rig.takeStock(fault)
  await fault.end(rig)
  await rig.arrived()
  await rig.write(20)
  await rig.arrived(3)
  await rig.judge(t, fault)
}

/** Every rotation under every fault: together in one program, or each in its own if there is time. */
export function matrix(t: Test, rotations: readonly Rotation[], faults: readonly Fault[], lines: number): void {
  const nameOf = (rotation: Rotation, fault: Fault) => `${rotation.name}; ${fault.name}`
  const isWanted = (rotation: Rotation, fault: Fault) => nameOf(rotation, fault).includes(ONLY)
  for (const fault of faults) for (const rotation of rotations) known.push(nameOf(rotation, fault))
  for (const rotation of rotations) {
    if (!faults.some(fault => isWanted(rotation, fault))) continue
    const absent = rotation.needs?.filter(name => !isThere(name)) ?? []
    if (absent.length === 0) continue
    selected = true
    t.test(rotation.name, { skip: `${absent.join(', ')} is not installed` }, async () => {})
  }
  for (const fault of faults) {
    const unseen = !fault.sees && fault.rotations > 1
    const struck = rotations.filter(
      rotation => isWanted(rotation, fault) && (rotation.needs ?? []).every(isThere) && !(rotation.anonymous && unseen),
    )
    if (struck.length === 0) continue
    selected = true
    if (!LONG) t.test(fault.name, t => strike(t, struck, fault, lines))
    else {
      for (const rotation of struck) {
        t.test(`${rotation.name}; ${fault.name}`, t => strike(t, [rotation], fault, lines))
      }
    }
  }
}
