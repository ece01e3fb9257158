// Keys that work everywhere in the chat.

import { useEffect } from "preact/hooks"
import { T } from "./i18n"
import { about, asking } from "./panes"
import { go } from "./route"
import { current } from "./store"
import { nextUnread } from "./treemodel"
import { toast } from "./toast"
import { Dialog } from "./ui"

/** Keys listens for them. */
export function Keys() {
  useEffect(() => {
    addEventListener("keydown", press)
    return () => removeEventListener("keydown", press)
  }, [])
  return null
}

function press(e: KeyboardEvent): void {
  if (e.defaultPrevented || e.isComposing) return
  const ctrl = (e.ctrlKey || e.metaKey) && !e.altKey && !e.shiftKey
  if (ctrl && e.key.toLowerCase() === "k") {
    asking.value = { what: "jump" }
  } else if (asking.peek()) {
    return // a dialog has its own keys
  } else if (e.altKey && !e.ctrlKey && !e.metaKey && !e.shiftKey && (e.key === "ArrowUp" || e.key === "ArrowDown")) {
    next(e.key === "ArrowDown" ? 1 : -1)
  } else if (ctrl && e.key === "i" && current.peek() && !writes(e.target)) {
    about.value = !about.peek()
  } else if (e.key === "?" && !writes(e.target)) {
    asking.value = { what: "keys" }
  } else if (e.key === "Escape" && about.peek() && !writes(e.target) && !somethingAbove()) {
    about.value = false
  } else {
    return
  }
  e.preventDefault()
}

function somethingAbove(): boolean {
  return document.querySelector("dialog[open], :popover-open") !== null
}

function next(step: 1 | -1): void {
  const c = nextUnread(step)
  if (c) go({ view: "conversation", conversation: c.id })
  else toast(T("You have seen everything"))
}

/** writes says whether somebody writes into an element: letters are text there. */
function writes(el: EventTarget | null): boolean {
  return el instanceof HTMLElement && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName))
}

const list = (): readonly (readonly [keys: string, what: string])[] => [
  ["Ctrl K", T("Go to a conversation or a colleague, or search messages")],
  ["Alt ↓", T("Next unread conversation")],
  ["Alt ↑", T("Previous unread conversation")],
  ["↑ ↓ ← →", T("Move in the list of conversations, unfold and fold groups")],
  ["Shift F10", T("Menu of a conversation in the list")],
  ["Enter", T("Send the message")],
  ["Shift Enter", T("New line")],
  ["↑", T("In an empty message: edit your last one")],
  ["@", T("Mention somebody")],
  [":", T("Insert an emoji")],
  ["/", T("Commands")],
  ["R", T("On a message: reply")],
  ["E", T("On a message: edit")],
  ["U", T("On a message: mark as unread from there")],
  ["Ctrl I", T("Show or hide the details of the conversation")],
  ["Esc", T("Close what is open")],
  ["?", T("This list")],
]

/** KeysHelp shows the keys. */
export function KeysHelp({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={T("Keyboard shortcuts")} read onClose={onClose}>
      <dl class="facts keys">
        {list().map(([keys, what]) => (
          <div key={keys + what}>
            <dt>{keys.split(" ").map((k) => <kbd key={k}>{k}</kbd>)}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}
