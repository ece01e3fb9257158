// What one does in conversations, except for sending (outbox.ts).

import { at, call, detailOf, query } from "./api"
import { knownPart, part } from "./history"
import { settle } from "./late"
import { change, conversations, isMine, self, setMe } from "./store"
import { toast } from "./toast"
import type { Conversation, Me, Mention, Message, Status } from "./types"

/** edit gives a message of one's own another text. It throws a Problem: the caller keeps what was written. */
export async function edit(conversation: string, message: Message, text: string, mentions: Mention[]): Promise<void> {
  const body = { text, ...(mentions.length ? { mentions } : {}) }
  const now = await call<Message>("PUT", at(conversation, "messages", message.id), body)
  part(conversation).take(now, false)
}

/** react sets all of one's own reactions on a message. They are shown at once, and taken back if that fails. */
export async function react(conversation: string, message: Message, emoji: string[]): Promise<void> {
  const p = part(conversation)
  p.patch(message.id, (m) => ({ ...m, reactions: withMine(conversation, m, emoji) }))
  try {
    p.take(await call<Message>("PUT", at(conversation, "messages", message.id, "reactions"), { emoji }), false)
  } catch (err) {
    const before = mine(conversation, message)
    p.patch(message.id, (m) => ({ ...m, reactions: withMine(conversation, m, before) }))
    toast(detailOf(err), { error: true })
  }
}

function mine(conversation: string, message: Message): string[] {
  return (message.reactions ?? []).filter((r) => r.by.some((by) => isMine(conversation, by))).map((r) => r.emoji)
}

function withMine(conversation: string, message: Message, emoji: string[]): NonNullable<Message["reactions"]> {
  const own = self(conversation)
  const out = (message.reactions ?? []).map((r) => ({ ...r, by: r.by.filter((by) => by.id !== own.id) }))
  for (const e of emoji) {
    const known = out.find((r) => r.emoji === e)
    if (known) known.by.push(own)
    else out.push({ emoji: e, by: [own] })
  }
  return out.filter((r) => r.by.length)
}

/** retract takes back a message of one's own, or removes somebody else's, who is warned with warn. It throws a Problem. */
export async function retract(conversation: string, id: string, reason?: string, warn = false): Promise<void> {
  await call("DELETE", at(conversation, "messages", id) + query({ reason, warn: warn ? "true" : undefined }))
  part(conversation).patch(id, (m) => {
    if (m.removed) return m // an event has said it, and by whom
    const own = isMine(conversation, m.by)
    const removed = { own, ...(own ? {} : { by: self(conversation).name }), ...(reason ? { reason } : {}) }
    return { id: m.id, at: m.at, ...(m.by ? { by: m.by } : {}), text: "", removed }
  })
}

const marks = new Map<string, { message: string; timer: ReturnType<typeof setTimeout> }>()
const pause = 400 // ms: who scrolls reads many

/** markRead notes that everything up to a message was read. */
export function markRead(conversation: string, message: string): void {
  const c = conversations.peek().get(conversation)
  // Ids are in the order of time.
  if (!c || c.read !== undefined && message <= c.read && c.unread === 0) return
  if (c.read !== undefined && message < c.read) return
  const p = knownPart(conversation)
  const newest = c.last?.id === message || p?.messages.peek().at(-1)?.id === message && !p.newer.peek()
  change(conversation, newest ? { read: message, unread: 0, mentions: 0 } : { read: message })
  const waiting = marks.get(conversation)
  if (waiting) clearTimeout(waiting.timer)
  marks.set(conversation, { message, timer: setTimeout(() => void tellRead(conversation, message), pause) })
}

/** forgetRead drops what is about to be told of a conversation that was read. */
export function forgetRead(conversation: string): void {
  clearTimeout(marks.get(conversation)?.timer)
  marks.delete(conversation)
}

/** marksAfter says whether one has just read on, after a message: the server hears of that in a moment. */
export function marksAfter(conversation: string, message: string): boolean {
  const waiting = marks.get(conversation)
  return waiting !== undefined && message < waiting.message
}

async function tellRead(conversation: string, message: string): Promise<void> {
  marks.delete(conversation)
  try {
    const asked = call<{ unread: number; mentions: number }>("PUT", at(conversation, "read"), { message })
    await settle(asked, (left, newer) => {
      if (!marks.has(conversation) && !newer(`${conversation} unread`)) change(conversation, left)
    })
  } catch {
    // The next mark says the same and more.
  }
}

const told = new Map<string, number>()

/** typing tells the others that one is writing, or not any more. It can be called at every letter. */
export function typing(conversation: string, on: boolean): void {
  const last = told.get(conversation)
  if (on ? last !== undefined && Date.now() - last < 8000 : last === undefined) return
  if (on) told.set(conversation, Date.now())
  else told.delete(conversation)
  void call("PUT", at(conversation, "typing"), { typing: on }).catch(() => undefined)
}

/** notify chooses what one is told of in a conversation. */
export async function notify(conversation: string, to: Conversation["notify"]): Promise<void> {
  const before = conversations.peek().get(conversation)?.notify
  change(conversation, { notify: to })
  try {
    await call("PUT", at(conversation, "notify"), { notify: to })
  } catch (err) {
    if (before && conversations.peek().get(conversation)?.notify === to) change(conversation, { notify: before })
    toast(detailOf(err), { error: true })
  }
}

/** tellStatus sets one's own status. It throws a Problem. */
export async function tellStatus(status: Status): Promise<void> {
  await settle(call<Me>("PUT", "/me/status", status), (now, newer) => {
    if (!newer("me")) setMe(now)
  })
}

/** setStatus sets one's own status, and says so where it is refused. */
export async function setStatus(status: Status): Promise<void> {
  try {
    await tellStatus(status)
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}
