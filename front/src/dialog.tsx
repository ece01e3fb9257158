// Dialogs, beside the conversation or in the middle.

import type { ComponentChildren } from "preact"
import { useId, useLayoutEffect, useRef } from "preact/hooks"
import { Icon } from "./icon"
import { T } from "./i18n"

/**
 * focusAgain gives the focus back to what was behind a dialog. Chromium's close gives it back itself, while the element
 * still counts as inert: a field then has the focus, and no caret to write at.
 */
function focusAgain(el: HTMLElement): void {
  void el.offsetHeight // has the style computed without the dialog
  if (document.activeElement === el) el.blur()
  el.focus()
}

/**
 * Dialog shows its content above the page until the caller takes it away. It keeps the focus inside, and gives it back
 * to where it was. onClose is called for Escape, the cross, and a click beside it; the caller decides. read says that
 * its content is there to be read, and has nothing that could have the focus: then keys scroll it.
 */
export function Dialog({ title, onClose, children, foot, wide, read, onSubmit, class: extra }: {
  title: string
  onClose: () => void
  children: ComponentChildren
  foot?: ComponentChildren
  wide?: boolean
  read?: boolean
  onSubmit?: () => void
  class?: string
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    const before = document.activeElement
    const d = dialog.current
    d?.showModal()
    d?.querySelector<HTMLElement>("[autofocus], [data-autofocus]")?.focus()
    return () => {
      d?.close()
      if (before instanceof HTMLElement && before.isConnected) focusAgain(before)
    }
  }, [])
  const submit = (e: Event) => {
    e.preventDefault()
    onSubmit?.()
  }
  return (
    <dialog ref={dialog} class={["box", wide ? "wide" : "", extra ?? ""].join(" ")} aria-labelledby={id}
      onCancel={(e) => { e.preventDefault(); onClose() }}
      onMouseDown={(e) => { if (e.target === dialog.current) onClose() }}>
      <form method="dialog" onSubmit={submit}>
        <header class="box-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="quiet icon-button" aria-label={T("Close")} onClick={onClose}>
            <Icon name="x" />
          </button>
        </header>
        <div class="box-body" {...(read ? { tabIndex: 0, role: "group", "aria-labelledby": id } : {})}>{children}</div>
        {foot && <footer class="box-foot">{foot}</footer>}
      </form>
    </dialog>
  )
}
