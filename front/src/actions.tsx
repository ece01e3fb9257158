// What one can do with a message: by the tools that show over it, its menu, or keys.

import { useEffect } from "preact/hooks"
import { sourceOf, startEdit, startReply } from "./composing"
import { quick } from "./emoji"
import { T } from "./i18n"
import { askRetract } from "./actdialogs"
import { newTheme } from "./newtheme"
import { programsOf } from "./programs"
import { addReaction, toggleReaction } from "./reactions"
import { openReminders } from "./reminders"
import { href } from "./route"
import { conversations, isMine } from "./state"
import { asking } from "./panes"
import { isPinned, mayPin, setPinned } from "./pins"
import { isSaved, loadMarks, setSaved } from "./savedmessages"
import { newTask } from "./taskdialog"
import type { Conversation, Message } from "./types"
import { Icon, openMenu, toast, type MenuItem } from "./ui"
import { markUnread } from "./unread"

/** mayReply and the like say what one may do with a message. */
export function mayReply(c: Conversation, m: Message): boolean {
  return c.write && m.removed === undefined && m.by !== undefined
}

/** mayReact says whether one may react to a message. */
export function mayReact(c: Conversation, m: Message): boolean {
  return c.react && m.removed === undefined && m.by !== undefined
}

/** mayEdit says whether one may correct a message: the last word on it has the server. */
export function mayEdit(c: Conversation, m: Message): boolean {
  return c.write && m.removed === undefined && isMine(c.id, m.by) && (m.kind === undefined || m.kind === "me") &&
    (m.text !== "" || !m.files?.length) && m.opens === undefined
}

/** mayRetract says whether one may take a message back, or remove it. */
export function mayRetract(c: Conversation, m: Message): boolean {
  if (m.removed !== undefined || m.by === undefined || m.kind === "subject") return false
  return isMine(c.id, m.by) || c.manage && c.kind !== "person"
}

/** addressOf gives the address of a message, for links. */
export function addressOf(c: Conversation, m: Message): string {
  return new URL(href({ view: "conversation", conversation: c.id, message: m.id }), location.href).href
}

async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast(done)
  } catch {
    toast(T("The browser does not let this page copy."), { error: true })
  }
}

/** actionsOf lists what one can do with a message. at is where a picker opens. */
export function actionsOf(c: Conversation, m: Message, at: Element): MenuItem[] {
  const items: MenuItem[] = []
  if (mayReact(c, m)) {
    items.push({ label: T("Add a reaction"), icon: "smile-plus", do: () => addReaction(at, c.id, m) })
  }
  if (mayReply(c, m)) items.push({ label: T("Reply"), icon: "reply", do: () => startReply(c.id, m) })
  if (mayEdit(c, m)) items.push({ label: T("Edit"), icon: "pencil", do: () => startEdit(c.id, m) })
  if (m.removed === undefined && m.text) {
    items.push({ label: T("Copy the text"), icon: "copy", line: items.length > 0,
      do: () => void copy(sourceOf(m), T("The text is copied.")) })
  }
  items.push({ label: T("Copy the link"), icon: "link",
    do: () => void copy(addressOf(c, m), T("The link is copied.")) })
  if (m.removed === undefined && (m.by !== undefined || m.text)) {
    const saved = isSaved(c.id, m.id)
    items.push({ label: saved ? T("Remove from saved messages") : T("Save for later"),
      icon: saved ? "bookmark-x" : "bookmark", do: () => void setSaved(c.id, m.id, !saved) })
  }
  if (mayPin(c) && m.removed === undefined && m.kind !== "subject") {
    const pinned = isPinned(c.id, m.id)
    items.push({ label: pinned ? T("Unpin") : T("Pin for everyone"), icon: pinned ? "pin-off" : "pin",
      do: () => void setPinned(c.id, m.id, !pinned) })
  }
  items.push({ label: T("Mark as unread from here"), icon: "circle-dot", do: () => void markUnread(c.id, m) })
  if (c.group !== undefined && startsThemes(c) && m.by !== undefined && m.removed === undefined) {
    items.push({ label: T("Start a theme from this"), icon: "message-square-plus",
      do: () => newTheme(c.group!, { draft: beginning(c, m) }) })
  }
  if (c.write && m.by !== undefined && m.removed === undefined && m.task === undefined) {
    items.push({ label: T("Make a task of this"), icon: "circle-check", do: () => newTask(c.id, m) })
  }
  if (m.by !== undefined && m.removed === undefined && m.kind !== "subject") {
    items.push({ label: T("Forward"), icon: "forward",
      do: () => { asking.value = { what: "forward", conversation: c, message: m } } })
  }
  if (isMine(c.id, m.by) && m.removed === undefined && c.id !== c.me) {
    items.push({ label: T("Who has seen this"), icon: "eye",
      do: () => { asking.value = { what: "seen", conversation: c, message: m } } })
  }
  if (m.edited && m.removed === undefined && (c.manage || isMine(c.id, m.by))) {
    items.push({ label: T("Show earlier versions"), icon: "history",
      do: () => { asking.value = { what: "versions", conversation: c, message: m } } })
  }
  if (m.by !== undefined && !isMine(c.id, m.by) && m.removed === undefined && m.kind !== "subject") {
    items.push({ label: T("Report"), icon: "flag", line: true,
      do: () => { asking.value = { what: "report", conversation: c, message: m } } })
  }
  if (m.by !== undefined && m.removed === undefined) {
    items.push({ label: T("Remind me about this"), icon: "bell", do: () => openReminders(c, m, at) })
  }
  items.push(...programsOf(c, m, at))
  if (mayRetract(c, m)) {
    const own = isMine(c.id, m.by)
    items.push({ label: own ? T("Take back") : T("Remove"), icon: "trash-2", danger: true, line: true,
      do: () => askRetract({ conversation: c, message: m, own }) })
  }
  return items
}

// Themes are started in the group, from a message of a theme as well.
function startsThemes(c: Conversation): boolean {
  const parent = c.parent === undefined ? undefined : conversations.peek().get(c.parent)
  return (parent ?? c).startsThemes
}

/** beginning is the draft of the first message in a theme that starts from a message. */
function beginning(c: Conversation, m: Message): string {
  const quoted = m.text.slice(0, 500).split("\n").slice(0, 10).map((line) => "> " + line).join("\n")
  const by = m.by ? `> ${m.by.name}:\n` : ""
  return `${by}${quoted}\n${addressOf(c, m)}\n\n`
}

/** openActions opens the menu of a message. */
export function openActions(c: Conversation, m: Message, row: Element, spot: Element | { x: number; y: number }): void {
  const of = m.by ? T("Message of {{.Name}}", { Name: m.by.name }) : T("Message")
  openMenu(spot, of, actionsOf(c, m, row))
}

/** Tools are the buttons over a message that is pointed at, or has the focus. */
export function Tools({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  useEffect(() => void loadMarks(), [])
  const row = (e: { currentTarget: Element }) => e.currentTarget.closest("[data-row]") ?? e.currentTarget
  return (
    <div class="tools" role="group" aria-label={T("What you can do with this message")}>
      {mayReact(c, m) && quick(3).map((emoji) => (
        <button key={emoji} type="button" class="tool" aria-label={T("React with {{.Emoji}}", { Emoji: emoji })}
          onClick={() => toggleReaction(c.id, m, emoji)}>{emoji}</button>
      ))}
      {mayReact(c, m) && (
        <Tool icon="smile-plus" label={T("Add a reaction")} onClick={(e) => addReaction(e.currentTarget, c.id, m)} />
      )}
      {mayReply(c, m) && <Tool icon="reply" label={T("Reply")} onClick={() => startReply(c.id, m)} />}
      {mayEdit(c, m) && <Tool icon="pencil" label={T("Edit")} onClick={() => startEdit(c.id, m)} />}
      <Tool icon="ellipsis" label={T("More")} menu onClick={(e) => openActions(c, m, row(e), e.currentTarget)} />
    </div>
  )
}

function Tool({ icon, label, menu, onClick }: {
  icon: string
  label: string
  menu?: boolean
  onClick: (e: { currentTarget: Element }) => void
}) {
  return (
    <button type="button" class="tool" aria-label={label} title={label} aria-haspopup={menu ? "menu" : undefined}
      onClick={onClick}>
      <Icon name={icon} />
    </button>
  )
}

/** onMessageKey does what a key means while a message has the focus. It says whether it means anything. */
export function onMessageKey(e: KeyboardEvent, c: Conversation, m: Message, row: Element): boolean {
  if (e.ctrlKey || e.metaKey || e.altKey) return false
  switch (e.key.length === 1 ? e.key.toLowerCase() : e.key) {
    case "Enter":
    case "ContextMenu":
      openActions(c, m, row, row.querySelector(".body, .removed, .files, .room-said") ?? row)
      return true
    case "r":
      if (mayReply(c, m)) startReply(c.id, m)
      return true
    case "e":
      if (mayEdit(c, m)) startEdit(c.id, m)
      return true
    case "+":
      if (mayReact(c, m)) addReaction(row, c.id, m)
      return true
    case "c":
      if (m.text) void copy(sourceOf(m), T("The text is copied."))
      return true
    case "u":
      void markUnread(c.id, m)
      return true
    case "l":
      void copy(addressOf(c, m), T("The link is copied."))
      return true
    case "Delete":
    case "Backspace":
      if (mayRetract(c, m)) askRetract({ conversation: c, message: m, own: isMine(c.id, m.by) })
      return true
    default:
      return false
  }
}
