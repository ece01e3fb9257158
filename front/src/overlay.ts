// Boxes that are above everything else, beside what opened them.

const edge = 8 // px from the edge of the window

/**
 * openBeside shows a box, an element with a popover attribute, beside an element, and gives the focus to what has
 * data-autofocus. A click elsewhere and Escape call onClose. It returns what is to be done when the box goes: the focus
 * returns to where it was.
 */
export function openBeside(box: HTMLElement, at: Element, onClose: () => void): () => void {
  const before = document.activeElement
  box.showPopover()
  const put = () => placeBeside(box, at)
  put()
  box.querySelector<HTMLElement>("[data-autofocus]")?.focus()
  const onDown = (e: Event) => {
    if (!(e.target instanceof Node) || !box.contains(e.target)) onClose()
  }
  const onKey = (e: KeyboardEvent) => {
    if (e.key !== "Escape") return
    e.preventDefault()
    e.stopPropagation()
    onClose()
  }
  addEventListener("pointerdown", onDown, true)
  addEventListener("resize", put)
  box.addEventListener("keydown", onKey)
  box.addEventListener("focusout", onLeave)
  function onLeave(e: FocusEvent): void {
    if (e.relatedTarget instanceof Node && !box.contains(e.relatedTarget)) onClose()
  }
  return () => {
    removeEventListener("pointerdown", onDown, true)
    removeEventListener("resize", put)
    box.removeEventListener("focusout", onLeave)
    const inside = box.contains(document.activeElement) || document.activeElement === document.body
    if (inside && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true })
  }
}

/** placeBeside puts a box above or below an element, where there is more room, inside the window. */
function placeBeside(box: HTMLElement, at: Element): void {
  const target = at.getBoundingClientRect()
  const { width, height } = box.getBoundingClientRect()
  const above = target.top - height - 4
  const below = target.bottom + 4
  const top = above >= edge || target.top > innerHeight - target.bottom ? above : below
  const left = document.dir === "rtl" ? target.left : target.right - width
  box.style.top = `${Math.max(edge, Math.min(top, innerHeight - height - edge))}px`
  box.style.left = `${Math.max(edge, Math.min(left, innerWidth - width - edge))}px`
}
