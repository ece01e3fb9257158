import { useLayoutEffect } from "preact/hooks"

/**
 * useKeptFocus keeps the focus on a row when another element takes its place: a message that was on its way becomes one
 * that the server has.
 */
export function useKeptFocus(rows: { current: HTMLElement | null }): void {
  const focused = document.activeElement
  const key = rows.current?.contains(focused) ? focused?.closest<HTMLElement>("[data-row]")?.dataset["row"] : undefined
  useLayoutEffect(() => {
    if (key === undefined || document.activeElement !== document.body) return
    rows.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)?.focus({ preventScroll: true })
  })
}
