// Long presses on a touch screen.

import { useRef } from "preact/hooks"

const pressFor = 450 // ms
const still = 10 // px that a finger may move

interface Press { timer: ReturnType<typeof setTimeout>; row: Element; x: number; y: number }

/** useLongPress gives the listeners of a list in which a long press on a row calls pressed, once it ends. */
export function useLongPress(pressed: (row: Element, x: number, y: number) => void) {
  const state = useRef<Press | undefined>(undefined)
  const fired = useRef(false)
  const stop = () => {
    if (!state.current) return
    clearTimeout(state.current.timer)
    state.current.row.classList.remove("pressed")
    state.current = undefined
  }
  return {
    onPointerDown: (e: PointerEvent) => {
      stop()
      fired.current = false
      if (e.pointerType === "mouse" || !(e.target instanceof Element)) return
      const row = e.target.closest("[data-row]")
      if (!row || e.target.closest("video, audio, input, textarea")) return
      const timer = setTimeout(() => {
        fired.current = true
        row.classList.add("pressed")
        navigator.vibrate?.(10)
      }, pressFor)
      state.current = { timer, row, x: e.clientX, y: e.clientY }
    },
    onPointerMove: (e: PointerEvent) => {
      const s = state.current
      if (s && !fired.current && Math.hypot(e.clientX - s.x, e.clientY - s.y) > still) stop()
    },
    onPointerUp: () => {
      const s = state.current
      stop()
      // After this event: the browser closes menus that are open when a finger is lifted beside them.
      if (s && fired.current) setTimeout(() => pressed(s.row, s.x, s.y))
    },
    onPointerCancel: () => {
      fired.current = false
      stop()
    },
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
