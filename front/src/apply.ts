// What each event changes in the state.

import { batch, effect } from "@preact/signals"
import { marksAfter } from "./acts"
import { call, detailOf } from "./api"
import { dropHistory, knownPart, part, renewHistories } from "./history"
import { takeDraft, type Draft } from "./draftsync"
import { settle, told } from "./late"
import { dropScheduled, takeScheduled, type Scheduled } from "./later"
import { dropKept, keepOnly, mayKeep } from "./offline"
import { acknowledge } from "./outbox"
import { takePins } from "./pins"
import { forgetSaved, takeSaved, type SavedMark } from "./savedmessages"
import {
  change, conversations, current, fetchOne, isMine, line, listed, loaded, me, problem, put, remove, replaceAll, said,
  setMe, setPresence, takeNotice, time, typers, type Told,
} from "./store"
import { takeSidebar, type Sidebar } from "./sidebar"
import { forgetTasks, takeTask } from "./tasks"
import type { Author, Conversation, Me, Message, Status, Task } from "./types"
import { isHeld, release } from "./unread"

interface Events {
  hello: { epoch: string }
  reset: Record<string, never>
  message: { conversation: string; message: Message; fresh: boolean }
  mention: { conversation: string; message: string }
  conversation: Told
  gone: { conversation: string }
  read: { conversation: string; read: string; unread: number; mentions: number }
  typing: { conversation: string; by: Author; typing: boolean }
  presence: { address: string; status: Status }
  notice: { conversation: string; text: string }
  task: { conversation?: string; task?: Task; gone?: string }
  saved: SavedMark & { saved: boolean }
  pins: { conversation: string; pinned: string[] }
  scheduled: { scheduled?: Scheduled; gone?: string }
  sidebar: Sidebar
  draft: Draft
  me: Me
}

const handlers: { [name in keyof Events]: (data: Events[name]) => void } = {
  hello: () => undefined, // what was missed follows, or reset
  reset: () => void loadAnew(),
  message: ({ conversation, message, fresh }) => takeMessage(conversation, message, fresh),
  mention: ({ conversation, message }) => takeMention(conversation, message),
  conversation: (c) => put(c),
  gone: ({ conversation }) => takeAway(conversation),
  read: ({ conversation, read, unread, mentions }) => {
    if (!marksAfter(conversation, read)) change(conversation, { read, unread, mentions })
  },
  typing: ({ conversation, by, typing }) => setTyping(conversation, by, typing),
  presence: ({ address, status }) => takePresence(address, status),
  notice: ({ conversation, text }) => takeNotice(conversation, text),
  task: ({ task, gone }) => {
    if (task) takeTask(task.id, task)
    else if (gone) takeTask(gone, null)
  },
  saved: ({ saved, ...mark }) => takeSaved(mark, saved),
  pins: ({ conversation, pinned }) => takePins(conversation, pinned),
  scheduled: ({ scheduled, gone }) => {
    if (scheduled) takeScheduled(scheduled)
    else if (gone) dropScheduled(gone)
  },
  sidebar: takeSidebar,
  draft: takeDraft,
  me: setMe,
}

let waiting: { name: string; data: unknown }[] | undefined

/** apply changes the state by an event. Events of names that are not known are of a newer server. */
export function apply(name: string, data: unknown): void {
  if (waiting && name !== "hello" && name !== "reset") {
    waiting.push({ name, data }) // they come after the list that is on its way
    return
  }
  if (name in handlers) batch(() => handlers[name as keyof Events](data as never))
}

let loads = 0
let loading = false

/** loadAnew loads what may be old: the server does not know what this browser has missed. */
async function loadAnew(): Promise<void> {
  await loadConversations()
  forgetTasks()
  forgetSaved()
  renewHistories()
}

/** loadConversations loads oneself and all conversations. Events that arrive meanwhile are applied afterwards. */
export async function loadConversations(): Promise<void> {
  const mine = ++loads
  loading = true
  waiting ??= []
  try {
    const asked = call<{ me: Me; conversations: Conversation[]; keeps?: boolean }>("GET", "/conversations")
    await settle(asked, (all, newer) => {
      if (mine !== loads) return
      batch(() => {
        if (!newer("me")) setMe(all.me)
        replaceAll(all.conversations, newer)
        loaded.value = true
        listed.value++
        problem.value = undefined
      })
      mayKeep(all.keeps !== false)
      keepOnly(all.conversations)
      const lasts = new Map(all.conversations.map((c) => [c.id, c.last?.id]))
      waiting = waiting?.filter((e) => !isCounted(e.name, e.data, lasts))
    })
  } catch (err) {
    if (mine === loads) problem.value = detailOf(err)
  }
  if (mine !== loads) return
  loading = false
  const late = waiting ?? []
  waiting = undefined
  for (const { name, data } of late) apply(name, data)
}

/** isCounted says whether a list with these newest messages counts a mention that an event tells of. */
function isCounted(name: string, data: unknown, lasts: ReadonlyMap<string, string | undefined>): boolean {
  if (name !== "mention") return false
  const { conversation, message } = data as Events["mention"]
  const last = lasts.get(conversation)
  return last !== undefined && message <= last
}

function takeMessage(id: string, m: Message, fresh: boolean): void {
  const own = isMine(id, m.by)
  if (own) acknowledge(m.origin)
  if (own && fresh) release(id)
  if (m.by) setTyping(id, m.by, false)
  // A part that is not loaded shows the message when it is.
  if (id === current.peek()?.conversation) part(id).take(m, fresh)
  else knownPart(id)?.take(m, fresh)
  const c = conversations.peek().get(id)
  if (fresh) told(said(id))
  if (!c) {
    if (fresh) void fetchOne(id).catch(() => undefined) // it has just begun
    return
  }
  const last = { id: m.id, at: m.at, text: m.removed ? "" : m.text, ...(m.by ? { by: m.by.name } : {}) }
  if (!fresh) {
    if (c.last?.id === m.id) change(id, { last })
    return
  }
  if (m.kind === "subject") change(id, { topic: m.text })
  // The list may have counted it already.
  const counted = c.last?.id === m.id || time(c.last?.at) > time(m.at)
  const counts = m.by !== undefined && !own && !counted && !looking(id)
  if (!counted || counts) change(id, { last, unread: counts ? Math.min(100, c.unread + 1) : c.unread })
}

function takeMention(id: string, message: string): void {
  const c = conversations.peek().get(id)
  if (c && !looking(id) && c.read !== message) change(id, { mentions: Math.min(100, c.mentions + 1) })
}

/** looking says whether somebody looks at a conversation just now. */
function looking(id: string): boolean {
  return current.peek()?.conversation === id && !isHeld(id) && document.visibilityState === "visible" && document.hasFocus()
    && !knownPart(id)?.newer.peek()
}

function takeAway(id: string): void {
  dropHistory(id)
  remove(id)
  dropKept(id)
}

function takePresence(address: string, status: Status): void {
  setPresence(address, status)
  if (address === me.peek().address) setMe({ ...me.peek(), status })
}

const stops = new Map<string, ReturnType<typeof setTimeout>>()

/** setTyping notes who is writing. Who says nothing more for 20 s has stopped. */
function setTyping(id: string, by: Author, on: boolean): void {
  const key = id + " " + by.id
  clearTimeout(stops.get(key))
  stops.delete(key)
  const before = typers.peek().get(id) ?? []
  if (!on && !before.some((a) => a.id === by.id)) return
  const next = new Map(typers.peek())
  const others = before.filter((a) => a.id !== by.id)
  const now = on && !isMine(id, by) ? [...others, by] : others
  if (now.length) next.set(id, now)
  else next.delete(id)
  typers.value = next
  if (on) stops.set(key, setTimeout(() => setTyping(id, by, false), 20_000))
}

/**
 * start loads the state. The tab that opens the stream is told to by reset; others load when they hear of the stream,
 * and all when it is slow or does not come.
 */
export function start(): void {
  const load = () => !loaded.peek() && !loading && void loadConversations()
  setTimeout(load, 1500)
  effect(() => {
    if (line.value === "online") load()
  })
}
