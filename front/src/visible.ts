// Whether anybody looks at the chat in this browser: in any of its tabs.

const name = "parley-visible"
let release: (() => void) | undefined

/** watchVisible has each tab that is in view hold a lock. changed is told when this tab comes into view or goes. */
export function watchVisible(changed: (visible: boolean) => void): void {
  hold()
  document.addEventListener("visibilitychange", () => {
    hold()
    changed(document.visibilityState === "visible")
  })
}

function hold(): void {
  if (!navigator.locks) return
  if (document.visibilityState !== "visible") {
    release?.()
    release = undefined
  } else if (!release) {
    const held = new Promise<void>((resolve) => { release = resolve })
    void navigator.locks.request(name, { mode: "shared" }, () => held)
  }
}

/** anyVisible says whether a tab of this browser is in view. */
export async function anyVisible(): Promise<boolean> {
  if (document.visibilityState === "visible") return true
  const all = await navigator.locks?.query()
  return all?.held?.some((lock) => lock.name === name) ?? false
}
