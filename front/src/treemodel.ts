// The tree of conversations: favourites, groups with their themes, rooms without a group, colleagues.

import { batch, computed, effect, signal, type ReadonlySignal, type Signal } from "@preact/signals"
import { drafted } from "./drafts"
import { lang, T } from "./i18n"
import { failed } from "./outbox"
import { byName, favourites, folded } from "./panes"
import { conversations, current, time } from "./store"
import type { Conversation } from "./types"

/** Row is a line of the tree. */
export interface Row {
  /** key is unique in the tree, and names the row while it is folded. */
  key: string
  level: number
  /** open is set for rows that have others below them. */
  open?: boolean
  parent?: string
  place: number
  of: number
  /** conversation is what the row opens; headings have a name instead. */
  conversation?: Conversation
  name?: string
  /** hidden counts what is in rows that are folded away below this one. */
  hidden?: { unread: number; mentions: number }
}

/** rows are the lines of the tree that are in view, in order. */
export const rows: ReadonlySignal<readonly Row[]> = computed(() => {
  const all = [...conversations.value.values()]
  const themes = new Map<string, Conversation[]>()
  const tops: Conversation[] = []
  for (const c of all) {
    const under = c.kind === "theme" && c.parent && conversations.value.has(c.parent) ? c.parent : undefined
    if (under) themes.set(under, [...themes.get(under) ?? [], c])
    else tops.push(c)
  }
  const liked = favourites.value.flatMap((id) => conversations.value.get(id) ?? [])
  const out = new Builder(themes)
  out.section("favourites", T("Favourites"), liked, false)
  out.section("groups", T("Groups"), sorted(tops.filter((c) => c.kind === "group" || c.kind === "theme")), true)
  out.section("rooms", T("Rooms"), sorted(tops.filter((c) => c.kind === "room")), true)
  out.section("direct", T("Direct"), newest(tops.filter((c) => c.kind === "person" || c.kind === "several")), true)
  return out.rows
})

/** Builder writes the rows of one tree. */
class Builder {
  rows: Row[] = []
  private readonly closed = new Set(folded.value)

  constructor(private readonly themes: ReadonlyMap<string, Conversation[]>) {}

  section(key: string, name: string, content: readonly Conversation[], always: boolean): void {
    if (!content.length && !always) return
    if (key === "rooms" && !content.length) return
    const open = !this.closed.has(key)
    this.rows.push({ key, level: 1, open, name, place: 1, of: 1, ...(open ? {} : { hidden: this.sum(content) }) })
    const shown = open ? content : content.filter(isCurrent)
    shown.forEach((c, i) => this.conversation(c, key, i + 1, shown.length, key === "favourites"))
  }

  private conversation(c: Conversation, parent: string, place: number, of: number, alone: boolean): void {
    const key = parent + "/" + c.id
    const below = alone ? [] : this.themes.get(c.id) ?? []
    const row: Row = { key, level: 2, parent, place, of, conversation: c }
    this.rows.push(row)
    if (!below.length) return
    row.open = !this.closed.has(key)
    const living = sorted(below.filter((t) => !t.closed && !t.archived))
    const over = sorted(below.filter((t) => t.closed || t.archived))
    if (!row.open) row.hidden = this.sum(below, true)
    const shown = row.open ? living : living.filter(isCurrent)
    const fold = row.open && over.length > 0 ? 1 : 0
    shown.forEach((t, i) => this.theme(t, key, i + 1, shown.length + fold))
    if (fold) this.over(over, key, shown.length + 1)
    else over.filter(isCurrent).forEach((t) => this.theme(t, key, shown.length + 1, shown.length + 1))
  }

  private theme(t: Conversation, parent: string, place: number, of: number, level = 3): void {
    this.rows.push({ key: parent + "/" + t.id, level, parent, place, of, conversation: t })
  }

  /** over are the closed themes of a group, behind a row that is folded until it is opened. */
  private over(themes: readonly Conversation[], parent: string, place: number): void {
    const key = parent + "/closed"
    const open = this.closed.has("open " + key)
    const name = T("Closed themes ({{.Count}})", { Count: themes.length })
    this.rows.push({ key, level: 3, parent, place, of: place, open, name,
      ...(open ? {} : { hidden: this.sum(themes) }) })
    const shown = open ? themes : themes.filter(isCurrent)
    shown.forEach((t, i) => this.theme(t, key, i + 1, shown.length, 4))
  }

  private sum(content: readonly Conversation[], alone = false): { unread: number; mentions: number } {
    let unread = 0
    let mentions = 0
    for (const c of content) {
      for (const one of alone ? [c] : [c, ...this.themes.get(c.id) ?? []]) {
        mentions += one.mentions
        if (one.notify !== "none") unread += one.unread
      }
    }
    return { unread, mentions }
  }
}

function isCurrent(c: Conversation): boolean {
  return c.id === current.value?.conversation
}

const collator = new Intl.Collator(lang, { numeric: true, sensitivity: "base" })

function sorted(list: Conversation[]): Conversation[] {
  return byName.value ? list.sort((a, b) => collator.compare(a.name, b.name)) : newest(list)
}

function newest(list: Conversation[]): Conversation[] {
  return list.sort((a, b) => time(b.last?.at) - time(a.last?.at))
}

/** Shown is a row as it is drawn. */
export interface Shown extends Row {
  current: boolean
  draft: boolean
  /** failed: a message to it was refused. */
  failed: boolean
  /** entry is the one row in the order of tabs: where the focus was, else the open conversation, else the first. */
  entry: boolean
}

/** keys name the rows in view, in order. shown has each, so that a row is drawn again only when it differs. */
export const keys = signal<readonly string[]>([])
const shownRows = new Map<string, Signal<Shown>>()

/** shown is a row by its key, of those in keys. */
export function shown(key: string): ReadonlySignal<Shown> | undefined {
  return shownRows.get(key)
}

/** focused is the key of the row that had the focus last. */
export const focused = signal<string | undefined>(undefined)

/** watchTree keeps keys and shown up. */
export function watchTree(): void {
  effect(() => {
    const list = rows.value
    const entry = list.find((r) => r.key === focused.value)
      ?? list.find((r) => r.conversation && isCurrent(r.conversation)) ?? list[0]
    batch(() => distribute(list, entry?.key))
  })
}

function distribute(list: readonly Row[], entry: string | undefined): void {
  const now = new Set<string>()
  for (const row of list) {
    const c = row.conversation
    const next: Shown = {
      ...row,
      current: c !== undefined && isCurrent(c),
      draft: c !== undefined && drafted.value.has(c.id),
      failed: c !== undefined && failed.value.has(c.id),
      entry: row.key === entry,
    }
    now.add(row.key)
    const known = shownRows.get(row.key)
    if (!known) shownRows.set(row.key, signal(next))
    else if (differs(known.peek(), next)) known.value = next
  }
  const before = keys.peek()
  if (before.length !== list.length || list.some((row, i) => row.key !== before[i])) keys.value = [...now]
  // Rows that are out of view come back as they were; not for ever.
  if (shownRows.size <= 2 * list.length + 100) return
  for (const key of shownRows.keys()) if (!now.has(key)) shownRows.delete(key)
}

function differs(a: Shown, b: Shown): boolean {
  return a.conversation !== b.conversation || a.open !== b.open || a.current !== b.current || a.draft !== b.draft
    || a.failed !== b.failed || a.entry !== b.entry || a.name !== b.name || a.place !== b.place || a.of !== b.of
    || a.hidden?.unread !== b.hidden?.unread || a.hidden?.mentions !== b.hidden?.mentions
}

/** foldKey is what panes.folded has of a row whose state is not the usual one. */
export function foldKey(row: Row): string {
  return row.key.endsWith("/closed") ? "open " + row.key : row.key
}

/** nextUnread is the next conversation with unread messages before or after the current one in the tree. */
export function nextUnread(step: 1 | -1): Conversation | undefined {
  const seen = new Set<string>()
  const list = rows.peek().flatMap((r) => {
    const c = r.conversation
    if (!c || seen.has(c.id)) return []
    seen.add(c.id)
    return [c]
  })
  // What is folded away counts too, after what is in view.
  for (const c of conversations.peek().values()) if (!seen.has(c.id)) list.push(c)
  const now = list.findIndex((c) => c.id === current.peek()?.conversation)
  const from = now < 0 && step < 0 ? list.length : now
  for (let i = 1; i <= list.length; i++) {
    const c = list[(from + i * step + 2 * list.length) % list.length]
    if (c && c.id !== current.peek()?.conversation && (c.mentions || c.unread && c.notify !== "none")) return c
  }
  return undefined
}
