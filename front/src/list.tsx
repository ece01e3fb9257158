// The messages of a conversation. The list opens where one has left off, and keeps its place whatever changes in it.

import { useSignal, type Signal } from "@preact/signals"
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import { onMessageKey, openActions } from "./actions"
import { focusComposer } from "./composing"
import { T } from "./i18n"
import { useKeptFocus } from "./keepfocus"
import { useLongPress } from "./longpress"
import { around, drawn, newer, older, partOf, whole, type View } from "./listwindow"
import { MessageRow, PendingRow } from "./message"
import { Keeper } from "./place"
import { daysOf, rowsOf, type Day, type Row } from "./rows"
import { history, isMine, line, markRead, outbox, type History } from "./state"
import type { Conversation, Message } from "./types"
import { dayName, Icon, today } from "./ui"
import { isHeld } from "./unread"
import { Beginning, Failure, NewestButton, Spoken } from "./listparts"

/** Jump is a message to show: by its id, or the first after a moment whose id this is. */
export interface Jump { id: string; times: number }

const ahead = 800 // px from an end of the list at which more is loaded
const markedFor = 2500 // ms for which the message that one has jumped to is marked

/** MessageList shows the messages of a conversation. jump has a message shown. */
export function MessageList({ conversation: c, jump }: { conversation: Conversation; jump: Signal<Jump | undefined> }) {
  const rights = useRights(c)
  const h = history(c.id)
  const box = useRef<HTMLDivElement>(null)
  const inner = useRef<HTMLDivElement>(null)
  const view = useSignal<View>(whole)
  const [tab, setTab] = useState<string>()
  const [marked, setMarked] = useState<string>()
  const far = useSignal(false)
  const messages = h.messages.value
  const pending = outbox.value.filter((p) => p.conversation === c.id)
  const unread = h.firstUnread.value
  const rows = useMemo(() => rowsOf(messages, pending, c.me, unread, !h.older.value, isHeld(c.id)),
    [messages, outbox.value, c.me, unread, today.value])
  const part = partOf(rows, view.value)
  const place = usePlace(box, inner, () => !h.newer.peek() && view.peek().to === undefined)
  const reading = useReading(c, h, place)

  const ready = useOpening(h, rows, jump, view, inner, place, (key, row) => {
    setMarked(key)
    setTab(key)
    row.focus({ preventScroll: true })
  })
  const look = () => {
    const b = box.current
    if (!b || !ready.current) return
    const below = b.scrollHeight - b.clientHeight - b.scrollTop
    far.value = below > 200 || h.newer.peek() || part.to < rows.length
    if (b.scrollTop < ahead) {
      if (part.from > 0) view.value = older(rows, view.peek())
      else if (h.older.peek() && !h.error.peek()) void h.loadOlder()
    }
    if (below < ahead) {
      if (part.to < rows.length) view.value = newer(rows, view.peek())
      else if (h.newer.peek() && !h.error.peek()) void h.loadNewer()
    }
    reading()
  }
  useEffect(() => {
    if (!marked) return
    const timer = setTimeout(() => setMarked(undefined), markedFor)
    return () => clearTimeout(timer)
  }, [marked])
  useLayoutEffect(() => {
    if (ready.current) place.current?.hold()
  })
  useEffect(look)
  const toNewest = async () => {
    await h.toNewest()
    view.value = whole
    place.current?.toEnd()
  }
  useKeptFocus(inner)
  useOwnSending(pending.length, () => void toNewest())
  useAway(c, h, place)

  const jumpTo = useCallback((id: string) => { jump.value = { id, times: (jump.peek()?.times ?? 0) + 1 } }, [])
  const find = (row: Element): Message | undefined => messages.find((m) => m.id === row.getAttribute("data-id"))
  const onKey = (e: KeyboardEvent) => onListKey(e, c, find, setTab)
  const press = useLongPress((row, x, y) => {
    const m = find(row)
    if (m) openActions(c, m, row, { x, y })
  })
  const shown = drawn(rows, part)
  const tabKey = shown.some((r) => r.key === tab) ? tab : shown.findLast((r) => r.kind === "message")?.key
  const newestOwn = messages.findLast((m) => isMine(c.id, m.by))
  return (
    <div class="list-frame">
      <div ref={box} class="list" onScroll={() => { place.current?.note(); look() }} onKeyDown={onKey} {...press}>
        <div ref={inner} class="list-inner" role="group" aria-label={T("Messages")}>
          {part.from === 0 && !h.older.value && !h.loading.value && !h.error.value && <Beginning conversation={c} empty={!rows.length} />}
          {h.loading.value && (h.older.value || !messages.length) && <Loading />}
          {daysOf(shown).map((day) => (
            <div key={day.key} class="of-day" role="group" aria-label={dayName(day.at)}>
              <h3 class="day"><span>{dayName(day.at)}</span></h3>
              {day.rows.map((row) => (
                <OneRow key={row.key} row={row} conversation={rights} tab={row.key === tabKey}
                  marked={row.key === marked} onJump={jumpTo}
                  newestOwn={row.kind === "message" && row.message === newestOwn && !pending.length} />
              ))}
            </div>
          ))}
          {h.loading.value && h.newer.value && messages.length > 0 && <Loading />}
          {/* What is kept is shown while offline, and the line says of itself that it is down. */}
          {h.error.value && (line.value === "online" || !messages.length) && <Failure history={h} />}
        </div>
      </div>
      <NewestButton conversation={c} history={h} far={far} onClick={() => {
        void toNewest()
        focusComposer(c.id)
      }} />
      <Spoken conversation={c} messages={messages} />
    </div>
  )
}

function OneRow({ row, conversation, tab, marked, newestOwn, onJump }: {
  row: Day["rows"][number]
  conversation: Conversation
  tab: boolean
  marked: boolean
  newestOwn: boolean
  onJump: (id: string) => void
}) {
  switch (row.kind) {
    case "new":
      return <div class="new-line" role="separator" aria-label={T("New messages")}><span>{T("New")}</span></div>
    case "message":
      return <MessageRow conversation={conversation} message={row.message} rowKey={row.key} compact={row.compact}
        tab={tab} marked={marked} newestOwn={newestOwn} onJump={onJump} />
    case "pending":
      return <PendingRow conversation={conversation} pending={row.pending} rowKey={row.key} compact={row.compact}
        onJump={onJump} />
  }
}

function Loading() {
  return <p class="list-note" role="status"><Icon name="loader-circle" />{T("Loading …")}</p>
}

/** usePlace keeps the place in the list when its content or its own size changes. */
function usePlace(box: { current: HTMLDivElement | null }, inner: { current: HTMLDivElement | null },
  complete: () => boolean) {
  const place = useRef<Keeper | undefined>(undefined)
  useLayoutEffect(() => {
    place.current = new Keeper(box.current!, inner.current!.getElementsByClassName("message"),
      complete)
    const watch = new ResizeObserver(() => place.current?.hold())
    watch.observe(box.current!)
    watch.observe(inner.current!)
    return () => watch.disconnect()
  }, [])
  return place
}

/** useReading gives a function that marks the conversation as read if its newest message is seen. */
function useReading(c: Conversation, h: History, place: { current: Keeper | undefined }): () => void {
  const reading = () => {
    if (isHeld(c.id) || !document.hasFocus() || document.visibilityState !== "visible") return
    const last = h.messages.peek().at(-1)
    if (last && place.current?.atEnd && !h.newer.peek() && !h.loading.peek()) markRead(c.id, last.id)
  }
  useEffect(() => {
    addEventListener("focus", reading)
    document.addEventListener("visibilitychange", reading)
    return () => {
      removeEventListener("focus", reading)
      document.removeEventListener("visibilitychange", reading)
    }
  }, [c.id])
  return reading
}

/** useAway draws the line above what comes while one is away from the window, though the conversation is open. */
function useAway(c: Conversation, h: History, place: { current: Keeper | undefined }): void {
  const left = useRef<string | undefined>(undefined) // the newest message when one went away
  useEffect(() => {
    const onBlur = () => {
      if (!place.current?.atEnd || h.newer.peek()) return
      left.current = h.messages.peek().at(-1)?.id
      h.firstUnread.value = undefined
    }
    addEventListener("blur", onBlur)
    return () => removeEventListener("blur", onBlur)
  }, [h])
  const last = h.messages.value.at(-1)
  useEffect(() => {
    if (!last || document.hasFocus() || left.current === undefined || left.current === last.id) return
    if (h.firstUnread.peek() === undefined && !isMine(c.id, last.by)) h.firstUnread.value = left.current
  }, [last?.id])
}

// What changes often and is nothing to a message: rows are not drawn again for it.
const passing: ReadonlySet<string> = new Set([
  "unread", "mentions", "read", "last", "notify", "status", "topic", "members",
])

/** useRights gives the conversation as it was, unless something changes that rows depend on. */
function useRights(c: Conversation): Conversation {
  const kept = useRef(c)
  const names = new Set([...Object.keys(c), ...Object.keys(kept.current)]) as Set<keyof Conversation>
  for (const name of names) {
    if (!passing.has(name) && c[name] !== kept.current[name]) kept.current = c
  }
  return kept.current
}

/** useOpening loads what is to be shown first, and shows it. The result is true once the list is at its place. */
function useOpening(h: History, rows: readonly Row[], jump: Signal<Jump | undefined>,
  view: Signal<View>, inner: { current: HTMLDivElement | null }, place: { current: Keeper | undefined },
  arrived: (key: string, row: HTMLElement) => void): { current: boolean } {
  const wanted = jump.value
  const number = wanted?.times ?? 0
  const ready = useRef(false)
  const done = useRef(0)
  const loaded = useSignal(-1) // the number of the jump whose part is there
  // Before the browser paints: what is loaded already is not shown at a wrong place first.
  useLayoutEffect(() => {
    void h.open(wanted?.id).then(() => { loaded.value = Math.max(loaded.peek(), number) })
  }, [h, number])
  const settled = loaded.value >= number
  useLayoutEffect(() => {
    if (wanted && done.current !== number) {
      const key = keyFor(rows, wanted.id, settled)
      if (key === undefined) return
      const row = inner.current?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)
      if (!row) {
        view.value = around(rows, key)
        return
      }
      done.current = number
      ready.current = true
      place.current?.show(row, "middle")
      arrived(key, row)
    } else if (!ready.current && settled) {
      const unread = rows.find((r) => r.kind === "new")
      const line = inner.current?.querySelector(".new-line")
      if (unread && !line) {
        view.value = around(rows, unread.key)
        return
      }
      ready.current = true
      if (line) place.current?.show(line, "upper")
      else place.current?.toEnd()
    } else if (!ready.current && !wanted) {
      place.current?.toEnd() // of what is kept from the last visit, while more is loaded
    }
  }, [settled, rows, number, view.value])
  return ready
}

/** keyFor finds the row of a message. Once its part is loaded, the next one does if it is gone. */
function keyFor(rows: readonly Row[], id: string, settled: boolean): string | undefined {
  const exact = rows.find((r) => r.kind === "message" && r.message.id === id)
  if (exact || !settled) return exact?.key
  const messages = rows.filter((r) => r.kind === "message")
  return (messages.find((r) => r.message.id >= id) ?? messages.at(-1))?.key
}

/** useOwnSending shows the end of the conversation when one has sent something. */
function useOwnSending(waiting: number, show: () => void): void {
  const before = useRef(waiting)
  useLayoutEffect(() => {
    if (waiting > before.current) show()
    before.current = waiting
  }, [waiting])
}

/** onListKey moves among the messages, and does what keys mean for the one that has the focus. */
function onListKey(e: KeyboardEvent, c: Conversation, find: (row: Element) => Message | undefined,
  setTab: (key: string) => void): void {
  const row = e.target
  if (!(row instanceof HTMLElement) || !row.matches("[data-row]")) {
    if (e.key === "Escape" && row instanceof HTMLElement) row.closest<HTMLElement>("[data-row]")?.focus()
    return
  }
  const all = [...e.currentTarget instanceof Element ? e.currentTarget.querySelectorAll<HTMLElement>("[data-row]") : []]
  const at = all.indexOf(row)
  const to = e.key === "ArrowUp" ? at - 1 : e.key === "ArrowDown" ? at + 1 : e.key === "Home" ? 0
    : e.key === "End" ? all.length - 1 : undefined
  if (to !== undefined && !e.altKey && !e.ctrlKey && !e.metaKey) {
    e.preventDefault()
    const next = all[to]
    if (next) {
      setTab(next.dataset["row"]!)
      next.focus()
      next.scrollIntoView({ block: "nearest" })
    } else if (to >= all.length) focusComposer(c.id)
    return
  }
  if (e.key === "Escape") {
    focusComposer(c.id)
    return e.preventDefault()
  }
  const m = find(row)
  if (m && onMessageKey(e, c, m, row)) e.preventDefault()
}
