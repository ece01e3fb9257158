// The menus of the tree: of a conversation, and of a part such as the groups.

import { markRead, notify } from "./acts"
import { boot } from "./boot"
import { T } from "./i18n"
import { openMenu, type MenuItem, type Spot } from "./menu"
import { newTheme } from "./newtheme"
import { about, asking, byName, favourites, folded, toggle } from "./panes"
import { go, href } from "./route"
import { moved } from "./sidebar"
import { conversations } from "./store"
import { toast } from "./toast"
import type { Conversation } from "./types"

/** openRowMenu opens the menu of a conversation. */
export function openRowMenu(at: Spot, c: Conversation): void {
  openMenu(at, c.name, rowItems(c))
}

/** rowItems are what one can do with a conversation as a whole. */
export function rowItems(c: Conversation): MenuItem[] {
  const items: MenuItem[] = []
  const liked = favourites.peek().includes(c.id)
  const last = c.last
  if (last && c.unread) items.push({ label: T("Mark as read"), icon: "check-check", do: () => markRead(c.id, last.id) })
  items.push({
    label: liked ? T("Remove from favourites") : T("Add to favourites"),
    icon: liked ? "star-off" : "star",
    do: () => { favourites.value = toggle(favourites.peek(), c.id) },
  })
  const place = favourites.peek().indexOf(c.id)
  const move = (by: 1 | -1) => () => { favourites.value = moved(favourites.peek(), c.id, by) }
  if (place > 0) items.push({ label: T("Move up in the favourites"), icon: "arrow-up", do: move(-1) })
  if (liked && place < favourites.peek().length - 1) {
    items.push({ label: T("Move down in the favourites"), icon: "arrow-down", do: move(1) })
  }
  if (c.group && c.startsThemes && c.kind !== "person") {
    const group = c.group
    items.push({ label: T("New theme"), icon: "message-square-plus", do: () => newTheme(group) })
  }
  items.push({ label: T("About"), icon: "info", do: () => {
    go({ view: "conversation", conversation: c.id })
    about.value = true
  } })
  items.push({ label: T("Copy the link"), icon: "link", do: () => void copyLink(c) })
  return [...items, ...notifyItems(c)]
}

/** notifyItems are the choices of what one is told of in a conversation. What a colleague says one is always told. */
export function notifyItems(c: Conversation): MenuItem[] {
  if (c.kind === "person") return []
  const choice = (to: Conversation["notify"], label: string, icon: string, line = false): MenuItem =>
    ({ label, icon, line, checked: c.notify === to, do: () => void notify(c.id, to) })
  return [
    choice("all", T("Notify of all messages"), "bell", true),
    choice("mentions", T("Notify of mentions only"), "at-sign"),
    choice("none", T("Notify of nothing"), "bell-off"),
  ]
}

async function copyLink(c: Conversation): Promise<void> {
  const link = location.origin + href({ view: "conversation", conversation: c.id })
  try {
    await navigator.clipboard.writeText(link)
    toast(T("The link is copied."))
  } catch {
    toast(link, { error: true })
  }
}

/** newItems begin something new. */
export function newItems(): MenuItem[] {
  const items: MenuItem[] = [{ label: T("New conversation"), icon: "message-circle",
    do: () => { asking.value = { what: "new conversation" } } }]
  if (boot.creates === false) return items
  return [...items, { label: T("New group"), icon: "users", do: () => { asking.value = { what: "new group" } } }]
}

/** openSectionMenu opens the menu of a part of the tree. */
export function openSectionMenu(at: Spot, section: string): void {
  const items: MenuItem[] = []
  if (section === "groups") {
    items.push(
      ...newItems().slice(1),
      { label: T("All groups of the organization"), icon: "hash", do: () => location.assign("/groups") },
      { label: T("In order of name"), icon: "", line: true, checked: byName.peek(), do: () => { byName.value = true } },
      { label: T("Newest first"), icon: "", checked: !byName.peek(), do: () => { byName.value = false } },
      { label: T("Fold all groups"), icon: "list-collapse", line: true, do: foldAll },
      { label: T("Unfold all groups"), icon: "list-tree", do: unfoldAll },
    )
  }
  if (section === "direct") {
    items.push(...newItems().slice(0, 1))
  }
  if (section === "rooms") {
    items.push({ label: T("In order of name"), icon: "", checked: byName.peek(), do: () => { byName.value = true } },
      { label: T("Newest first"), icon: "", checked: !byName.peek(), do: () => { byName.value = false } })
  }
  if (items.length) openMenu(at, T("Options"), items)
}

function foldAll(): void {
  const groups = [...conversations.peek().values()].filter((c) => c.kind === "group").map((c) => "groups/" + c.id)
  folded.value = [...new Set([...folded.peek(), ...groups])]
}

function unfoldAll(): void {
  folded.value = folded.peek().filter((key) => !key.startsWith("groups"))
}
