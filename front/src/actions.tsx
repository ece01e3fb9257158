// What one can do with a message: by the tools that show over it, its menu, or keys.

import { useEffect } from "preact/hooks"
import { askRetract } from "./actdialogs"
import { startEdit, startReply } from "./composing"
import { quick } from "./emoji"
import { T } from "./i18n"
import { mayEdit, mayReact, mayReply, mayRetract } from "./may"
import { actionsOf, copyLink, copyText } from "./messagemenu"
import { addReaction, toggleReaction } from "./reactions"
import { loadMarks } from "./savedmessages"
import { isMine } from "./state"
import type { Conversation, Message } from "./types"
import { Icon, openMenu } from "./ui"
import { markUnread } from "./unread"

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
      if (m.text) void copyText(m)
      return true
    case "u":
      void markUnread(c.id, m)
      return true
    case "l":
      void copyLink(c, m)
      return true
    case "Delete":
    case "Backspace":
      if (mayRetract(c, m)) askRetract({ conversation: c, message: m, own: isMine(c.id, m.by) })
      return true
    default:
      return false
  }
}
