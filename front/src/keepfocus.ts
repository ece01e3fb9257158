import { useLayoutEffect, useRef } from "preact/hooks"

/**
 * useKeptFocus keeps the focus on a row when another element takes its place, at once or a moment later: a message that
 * was on its way becomes one that the server has.
 */
export function useKeptFocus(rows: { current: HTMLElement | null }): void {
  const lost = useRef<string | undefined>(undefined)
  const focused = document.activeElement
  const row = rows.current?.contains(focused) ? focused?.closest<HTMLElement>("[data-row]") : undefined
  const key = row?.dataset["row"]
  useLayoutEffect(() => {
    if (document.activeElement !== document.body) {
      lost.current = undefined
      return
    }
    lost.current = key ?? lost.current
    if (lost.current === undefined) return
    rows.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(lost.current)}"]`)?.focus({ preventScroll: true })
  })
}
