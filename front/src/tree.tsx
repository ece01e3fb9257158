// The tree of conversations at the side (ARIA practices, tree view: one row is in the order of tabs, arrows go on).

import { useComputed } from "@preact/signals"
import type { TargetedKeyboardEvent } from "preact"
import { useEffect, useRef } from "preact/hooks"
import { fold } from "./fold"
import { T } from "./i18n"
import { folded, toggle } from "./panes"
import { go, href } from "./route"
import { conversations, current, loaded, presence } from "./store"
import { Faces } from "./several"
import { foldKey, focused, keys, rows, shown, type Row } from "./treemodel"
import { openRowMenu, openSectionMenu } from "./treemenu"
import type { Conversation, Status } from "./types"
import { Avatar, Icon, statusText } from "./ui"

/** Tree shows all conversations. Each row draws itself when it differs, for there may be thousands. */
export function Tree() {
  const now = current.value?.conversation
  const tree = useRef<HTMLDivElement>(null)
  useEffect(() => {
    tree.current?.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest" })
  }, [now, loaded.value])
  return (
    <div ref={tree} class="tree" role="tree" aria-label={T("Conversations")} onKeyDown={walk}
      onFocusIn={(e) => { focused.value = (e.target as HTMLElement).dataset["key"] }}>
      <Rows />
    </div>
  )
}

function Rows() {
  return <>{keys.value.map((key) => <RowView key={key} id={key} />)}</>
}

function RowView({ id }: { id: string }) {
  const row = shown(id)?.value
  if (!row) return null
  const c = row.conversation
  const shared = {
    role: "treeitem" as const,
    "data-key": row.key,
    tabIndex: row.entry ? 0 : -1,
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
    <div {...shared} aria-current={row.current ? "page" : undefined} class={classes(row, c)}
      onClick={(e) => { if (!inButton(e)) open(c, e) }}
      onContextMenu={(e) => { e.preventDefault(); openRowMenu({ x: e.clientX, y: e.clientY }, c) }}>
      {row.open === undefined ? <i class="twisty" /> : <Twisty row={row} />}
      <Sign c={c} />
      <span class="grow name" dir="auto" title={c.name}>{c.name}</span>
      <Words c={c} draft={row.draft} failed={row.failed} />
      <Counts unread={c.unread + (row.hidden?.unread ?? 0)} mentions={c.mentions + (row.hidden?.mentions ?? 0)}
        muted={c.notify === "none"} />
      <button class="more quiet" tabIndex={-1} aria-label={T("More about {{.Name}}", { Name: c.name })}
        onClick={(e) => openRowMenu(e.currentTarget, c)}>
        <Icon name="ellipsis" />
      </button>
    </div>
  )
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

/** usePresence is the status of a colleague; the component is drawn again only for that one. */
function usePresence(c: Conversation): Status | undefined {
  const known = useComputed(() => presence.value.get(c.id))
  return c.kind === "person" ? known.value ?? c.status : undefined
}

/** Sign is what stands before a name: a picture, or an icon of the kind. */
function Sign({ c }: { c: Conversation }) {
  const status = usePresence(c)
  if (c.kind === "person") {
    return <Avatar id={c.id} name={c.name} photo={c.photo} size="tiny" status={status} />
  }
  if (c.kind === "several") return <Faces c={c} />
  if (c.kind === "group") return <Avatar id={c.group ?? c.id} name={c.name} photo={c.photo} size="tiny" square />
  return <Icon name={c.closed || c.archived ? "archive" : c.restricted ? "lock" : "hash"} />
}

/** Words are what screen readers hear after the name, and the marks of a draft and of what was not sent. */
function Words({ c, draft, failed }: { c: Conversation; draft: boolean; failed: boolean }) {
  const status = usePresence(c)
  return (
    <>
      {draft && <span class="draft" title={T("Draft")}><Icon name="pencil" /></span>}
      {failed && <span class="failed" title={T("A message was not sent")}><Icon name="circle-alert" /></span>}
      <span class="visually-hidden">
        {failed && ", " + T("A message was not sent")}
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
function walk(e: TargetedKeyboardEvent<HTMLElement>): void {
  if (e.ctrlKey || e.metaKey || e.altKey) return
  const list = rows.peek()
  const tree = e.currentTarget
  const at = list.findIndex((r) => r.key === (e.target as HTMLElement).dataset["key"])
  const row = list[at]
  if (!row) return
  const focus = (i: number) => {
    const key = CSS.escape(list[i]?.key ?? "")
    tree.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus()
  }
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
