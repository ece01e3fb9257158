// Whether somebody is at this browser: others see that a person is away.

import { read, write } from "./kept"

const idleAfter = 10 * 60_000 // ms without input in any tab
const noteEvery = 20_000
const name = "touched"

let noted = 0

/** watchIdle notes when somebody touches this tab. */
export function watchIdle(): void {
  for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "focus"]) {
    addEventListener(kind, note, { passive: true, capture: true })
  }
  note()
}

function note(): void {
  const now = Date.now()
  if (now - noted < noteEvery) return
  noted = now
  write(name, String(now))
}

/** isIdle says whether nobody has touched any tab of this browser for a while. */
export function isIdle(): boolean {
  return Date.now() - Math.max(noted, Number(read(name) ?? 0)) > idleAfter
}
