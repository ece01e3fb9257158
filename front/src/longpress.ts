// Long presses on a touch screen.

import { useRef } from "preact/hooks"

const pressFor = 450 // ms
const still = 10 // px that a finger may move

/** useLongPress gives the listeners of a list in which a long press on a row calls pressed. */
export function useLongPress(pressed: (row: Element, x: number, y: number) => void) {
  const state = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | undefined>(undefined)
  const fired = useRef(false)
  const stop = () => {
    if (state.current) clearTimeout(state.current.timer)
    state.current = undefined
  }
  return {
    onPointerDown: (e: PointerEvent) => {
      stop()
      fired.current = false
      if (e.pointerType === "mouse" || !(e.target instanceof Element)) return
      const row = e.target.closest("[data-row]")
      if (!row || e.target.closest("video, audio, input, textarea")) return
      const { clientX: x, clientY: y } = e
      const timer = setTimeout(() => {
        state.current = undefined
        fired.current = true
        pressed(row, x, y)
      }, pressFor)
      state.current = { timer, x, y }
    },
    onPointerMove: (e: PointerEvent) => {
      const s = state.current
      if (s && Math.hypot(e.clientX - s.x, e.clientY - s.y) > still) stop()
    },
    onPointerUp: stop,
    onPointerCancel: stop,
    // The browser's own menu, and the click that ends the press, would come on top.
    onContextMenu: (e: Event) => {
      if (fired.current || state.current) e.preventDefault()
    },
    onClickCapture: (e: Event) => {
      if (!fired.current) return
      fired.current = false
      e.preventDefault()
      e.stopPropagation()
    },
  }
}
