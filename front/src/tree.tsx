// The tree of conversations at the side (ARIA practices, tree view: one row is in the order of tabs, arrows go on).

import type { ComponentChildren, TargetedKeyboardEvent } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { drafted } from "./drafts"
import { fold } from "./fold"
import { T } from "./i18n"
import { memo } from "./memo"
import { folded, toggle } from "./panes"
import { go, href } from "./route"
import { conversations, current, loaded, presence } from "./store"
import { foldKey, rows, type Row } from "./treemodel"
import { openRowMenu, openSectionMenu } from "./treemenu"
import type { Conversation } from "./types"
import { Avatar, Icon, statusText } from "./ui"

/** Tree shows all conversations. */
export function Tree() {
  const list = rows.value
  const now = current.value?.conversation
  const [focused, setFocused] = useState<string>()
  const tree = useRef<HTMLDivElement>(null)
  // The row in the order of tabs: where the focus was, else the open conversation, else the first.
  const entry = list.find((r) => r.key === focused) ?? list.find((r) => r.conversation?.id === now) ?? list[0]
  useEffect(() => {
    tree.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" })
  }, [now, loaded.value])
  return (
    <div ref={tree} class="tree" role="tree" aria-label={T("Conversations")} onKeyDown={(e) => walk(e, list)}
      onFocusIn={(e) => setFocused((e.target as HTMLElement).dataset["key"])}>
      {list.map((row) => (
        <RowView key={row.key} row={row} entry={row === entry} current={row.conversation?.id === now}
          draft={row.conversation !== undefined && drafted.value.has(row.conversation.id)} stamp={stamp(row)} />
      ))}
    </div>
  )
}

/** stamp says in one text what a row shows, so that a row that is the same is not drawn again. */
function stamp(row: Row): string {
  const { unread, mentions } = row.hidden ?? {}
  return [row.level, row.open, row.place, row.of, row.name, unread, mentions].join()
}

interface RowProps { row: Row; entry: boolean; current: boolean; draft: boolean; stamp: string }

const RowView = memoRow(({ row, entry, current: here, draft }: RowProps) => {
  const c = row.conversation
  const shared = {
    role: "treeitem" as const,
    "data-key": row.key,
    tabIndex: entry ? 0 : -1,
    "aria-level": row.level,
    "aria-posinset": row.place,
    "aria-setsize": row.of,
    "aria-expanded": row.open,
  }
  if (!c) {
    return (
      <div {...shared} class={row.level === 1 ? "row section" : "row deep l" + row.level}
        onClick={(e) => { if (!inButton(e)) flip(row) }}>
        <Twisty row={row} />
        <span class="grow">{row.name}</span>
        <Counts unread={row.hidden?.unread ?? 0} mentions={row.hidden?.mentions ?? 0} />
        {row.level === 1 && <Add section={row.key} />}
      </div>
    )
  }
  return (
    <div {...shared} aria-current={here ? "page" : undefined} class={classes(row, c)}
      onClick={(e) => { if (!inButton(e)) open(c, e) }}
      onContextMenu={(e) => { e.preventDefault(); openRowMenu({ x: e.clientX, y: e.clientY }, c) }}>
      {row.open === undefined ? <i class="twisty" /> : <Twisty row={row} />}
      <Sign c={c} />
      <span class="grow name" dir="auto" title={c.name}>{c.name}</span>
      <Words c={c} draft={draft} />
      <Counts unread={c.unread + (row.hidden?.unread ?? 0)} mentions={c.mentions + (row.hidden?.mentions ?? 0)}
        muted={c.notify === "none"} />
      <button class="more quiet" tabIndex={-1} aria-label={T("More about {{.Name}}", { Name: c.name })}
        onClick={(e) => openRowMenu(e.currentTarget, c)}>
        <Icon name="ellipsis" />
      </button>
    </div>
  )
})

/** memoRow compares what a row shows: the model makes new rows at each change. */
function memoRow(draw: (p: RowProps) => ComponentChildren) {
  const Inner = memo((p: Omit<RowProps, "row"> & { c: Conversation | undefined; box: { row: Row } }) =>
    draw({ ...p, row: p.box.row }))
  return (p: RowProps) => {
    // The box stays the same, and has the newest row for whoever is called later.
    const box = useRef({ row: p.row }).current
    box.row = p.row
    return <Inner entry={p.entry} current={p.current} draft={p.draft} stamp={p.stamp} c={p.row.conversation} box={box} />
  }
}

function classes(row: Row, c: Conversation): string {
  const out = ["row", "l" + row.level]
  if (c.notify === "none") out.push("muted-row")
  else if (c.unread || row.hidden?.unread) out.push("unread")
  if (c.closed || c.archived) out.push("closed")
  return out.join(" ")
}

function Twisty({ row }: { row: Row }) {
  return (
    <button class="twisty quiet" tabIndex={-1} aria-hidden="true" onClick={() => flip(row)}>
      <Icon name={row.open ? "chevron-down" : "chevron-right"} />
    </button>
  )
}

/** Sign is what stands before a name: a picture, or an icon of the kind. */
function Sign({ c }: { c: Conversation }) {
  if (c.kind === "person") {
    return <Avatar id={c.id} name={c.name} photo={c.photo} size="tiny" status={presence.value.get(c.id) ?? c.status} />
  }
  if (c.kind === "group") return <Avatar id={c.group ?? c.id} name={c.name} photo={c.photo} size="tiny" square />
  return <Icon name={c.closed || c.archived ? "archive" : c.restricted ? "lock" : "hash"} />
}

/** Words are what screen readers hear after the name, and the mark of a draft. */
function Words({ c, draft }: { c: Conversation; draft: boolean }) {
  const status = c.kind === "person" ? presence.value.get(c.id) ?? c.status : undefined
  return (
    <>
      {draft && <span class="draft" title={T("Draft")}><Icon name="pencil" /></span>}
      <span class="visually-hidden">
        {draft && ", " + T("Draft")}
        {status && ", " + statusText(status)}
        {c.notify === "none" && ", " + T("muted")}
        {c.restricted && ", " + T("restricted")}
        {(c.closed || c.archived) && ", " + T("closed")}
      </span>
    </>
  )
}

/** Counts shows how much is new: mentions of oneself have a mark of their own. */
export function Counts({ unread, mentions, muted }: { unread: number; mentions: number; muted?: boolean }) {
  const most = (n: number) => n >= 100 ? "99+" : String(n)
  return (
    <>
      {mentions > 0 && (
        <span class="count call">
          <span aria-hidden="true">@{most(mentions)}</span>
          <span class="visually-hidden">, {T("{{.Count}} mentions", { Count: mentions })}</span>
        </span>
      )}
      {unread > 0 && (
        <span class={muted ? "count faint" : "count"}>
          <span aria-hidden="true">{most(unread)}</span>
          <span class="visually-hidden">, {T("{{.Count}} unread", { Count: unread })}</span>
        </span>
      )}
    </>
  )
}

function Add({ section }: { section: string }) {
  if (section === "favourites") return null
  return (
    <button class="more quiet" tabIndex={-1} aria-label={T("Options")}
      onClick={(e) => openSectionMenu(e.currentTarget, section)}>
      <Icon name={section === "rooms" ? "ellipsis" : "plus"} />
    </button>
  )
}

function inButton(e: Event): boolean {
  return e.target instanceof Element && e.target.closest("button") !== null
}

function open(c: Conversation, e?: MouseEvent): void {
  const to = { view: "conversation", conversation: c.id } as const
  if (e && (e.ctrlKey || e.metaKey)) window.open(href(to), "_blank")
  else go(to)
}

function flip(row: Row, to?: boolean): void {
  if (row.open === undefined || row.open === to) return
  folded.value = toggle(folded.peek(), foldKey(row))
}

/** walk moves through the tree by keys. */
function walk(e: TargetedKeyboardEvent<HTMLElement>, list: readonly Row[]): void {
  if (e.ctrlKey || e.metaKey || e.altKey) return
  const tree = e.currentTarget
  const at = list.findIndex((r) => r.key === (e.target as HTMLElement).dataset["key"])
  const row = list[at]
  if (!row) return
  const focus = (i: number) => tree.querySelector<HTMLElement>(`[data-key="${CSS.escape(list[i]?.key ?? "")}"]`)?.focus()
  switch (e.key) {
    case "ArrowDown": focus(Math.min(at + 1, list.length - 1)); break
    case "ArrowUp": focus(Math.max(at - 1, 0)); break
    case "Home": focus(0); break
    case "End": focus(list.length - 1); break
    case "ArrowRight":
      if (row.open === false) flip(row, true)
      else if (row.open) focus(at + 1)
      break
    case "ArrowLeft":
      if (row.open) flip(row, false)
      else focus(list.findIndex((r) => r.key === row.parent))
      break
    case "Enter":
    case " ":
      if (row.conversation) open(row.conversation)
      else flip(row)
      break
    case "ContextMenu":
      menuOf(row, e.target as Element)
      break
    case "F10":
      if (!e.shiftKey) return
      menuOf(row, e.target as Element)
      break
    default:
      if (e.key.length !== 1) return
      focus(byLetter(list, at, e.key))
  }
  e.preventDefault()
}

function menuOf(row: Row, at: Element): void {
  if (row.conversation) openRowMenu(at, conversations.peek().get(row.conversation.id) ?? row.conversation)
  else if (row.level === 1) openSectionMenu(at, row.key)
}

function byLetter(list: readonly Row[], at: number, letter: string): number {
  const begins = (r: Row) => fold(r.conversation?.name ?? r.name ?? "").startsWith(fold(letter))
  const after = list.findIndex((r, i) => i > at && begins(r))
  return after >= 0 ? after : list.findIndex(begins)
}
