// The menu of a message: all that one can do with it, in parts, what is done often first.

import { askRetract } from "./actdialogs"
import { sourceOf, startEdit, startReply } from "./composing"
import { T } from "./i18n"
import { mayEdit, mayReact, mayReply, mayRetract, said } from "./may"
import { newTheme } from "./newtheme"
import { asking } from "./panes"
import { isPinned, mayPin, setPinned } from "./pins"
import { programsOf } from "./programs"
import { addReaction } from "./reactions"
import { openReminders } from "./reminders"
import { href } from "./route"
import { isSaved, setSaved } from "./savedmessages"
import { showsSeen } from "./seen"
import { conversations, isMine } from "./state"
import { newTask } from "./taskdialog"
import type { Conversation, Message } from "./types"
import { toast, type MenuItem } from "./ui"
import { markUnread } from "./unread"

/** addressOf gives the address of a message, for links. */
export function addressOf(c: Conversation, m: Message): string {
  return new URL(href({ view: "conversation", conversation: c.id, message: m.id }), location.href).href
}

/** copyText puts the text of a message into the clipboard. */
export function copyText(m: Message): Promise<void> {
  return copy(sourceOf(m), T("The text is copied."))
}

/** copyLink puts the address of a message into the clipboard. */
export function copyLink(c: Conversation, m: Message): Promise<void> {
  return copy(addressOf(c, m), T("The link is copied."))
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
  const parts = [answers(c, m, at), looks(c, m), keeps(c, m, at), makes(c, m), programsOf(c, m, at), ends(c, m)]
  const [first, ...rest] = parts.filter((part) => part.length > 0)
  return [...first ?? [], ...rest.flatMap(([head, ...more]) => [{ ...head!, line: true }, ...more])]
}

/** answers are what one says to a message, and where one says it. */
function answers(c: Conversation, m: Message, at: Element): MenuItem[] {
  const items: MenuItem[] = []
  if (mayReact(c, m)) {
    items.push({ label: T("Add a reaction"), icon: "smile-plus", do: () => addReaction(at, c.id, m) })
  }
  if (mayReply(c, m)) items.push({ label: T("Reply"), icon: "reply", do: () => startReply(c.id, m) })
  if (said(m)) items.push({ label: T("Forward"), icon: "forward", do: () => ask("forward", c, m) })
  if (mayEdit(c, m)) items.push({ label: T("Edit"), icon: "pencil", do: () => startEdit(c.id, m) })
  return items
}

/** looks are what one can know of a message, and take along. */
function looks(c: Conversation, m: Message): MenuItem[] {
  const items: MenuItem[] = []
  if (m.removed === undefined && m.text) {
    items.push({ label: T("Copy the text"), icon: "copy", do: () => void copyText(m) })
  }
  items.push({ label: T("Copy the link"), icon: "link", do: () => void copyLink(c, m) })
  const own = isMine(c.id, m.by)
  if (own && m.removed === undefined && c.id !== c.me && showsSeen(c)) {
    items.push({ label: T("Who has seen this"), icon: "eye", do: () => ask("seen", c, m) })
  }
  if (m.edited && m.removed === undefined && (c.manage || own)) {
    items.push({ label: T("Show earlier versions"), icon: "history", do: () => ask("versions", c, m) })
  }
  return items
}

/** keeps are what brings one back to a message. */
function keeps(c: Conversation, m: Message, at: Element): MenuItem[] {
  const items: MenuItem[] = []
  if (m.removed === undefined && (m.by !== undefined || m.text)) {
    const saved = isSaved(c.id, m.id)
    items.push({ label: saved ? T("Remove from saved messages") : T("Save for later"),
      icon: saved ? "bookmark-x" : "bookmark", do: () => void setSaved(c.id, m.id, !saved) })
  }
  if (m.by !== undefined && m.removed === undefined) {
    items.push({ label: T("Remind me about this"), icon: "bell", do: () => openReminders(c, m, at) })
  }
  items.push({ label: T("Mark as unread from here"), icon: "circle-dot", do: () => void markUnread(c.id, m) })
  return items
}

/** makes are what others see too: a pin, a theme, a task. */
function makes(c: Conversation, m: Message): MenuItem[] {
  const items: MenuItem[] = []
  if (mayPin(c) && m.removed === undefined && m.kind !== "subject") {
    const pinned = isPinned(c.id, m.id)
    items.push({ label: pinned ? T("Unpin") : T("Pin for everyone"), icon: pinned ? "pin-off" : "pin",
      do: () => void setPinned(c.id, m.id, !pinned) })
  }
  if (c.group !== undefined && startsThemes(c) && m.by !== undefined && m.removed === undefined) {
    items.push({ label: T("Start a theme from this"), icon: "message-square-plus",
      do: () => newTheme(c.group!, { draft: beginning(c, m) }) })
  }
  if (c.write && m.by !== undefined && m.removed === undefined && m.task === undefined) {
    items.push({ label: T("Make a task of this"), icon: "circle-check", do: () => newTask(c.id, m) })
  }
  return items
}

/** ends are what brings a message away, or before somebody who can. */
function ends(c: Conversation, m: Message): MenuItem[] {
  const items: MenuItem[] = []
  const own = isMine(c.id, m.by)
  if (said(m) && !own) items.push({ label: T("Report"), icon: "flag", do: () => ask("report", c, m) })
  if (mayRetract(c, m)) {
    items.push({ label: own ? T("Take back") : T("Remove"), icon: "trash-2", danger: true,
      do: () => askRetract({ conversation: c, message: m, own }) })
  }
  return items
}

function ask(what: "report" | "versions" | "forward" | "seen", c: Conversation, m: Message): void {
  asking.value = { what, conversation: c, message: m }
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
