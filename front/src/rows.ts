// What a list of messages is made of: days, the line above the first unread message, messages, and those that wait to
// be sent.

import type { Pending } from "./state"
import { dayKey } from "./time"
import type { Message } from "./types"

/** Row is a line of the list. Keys stay the same when a message that waited is acknowledged. */
export type Row =
  | { kind: "day"; key: string; at: string }
  | { kind: "new"; key: string }
  | { kind: "message"; key: string; message: Message; compact: boolean }
  | { kind: "pending"; key: string; pending: Pending; compact: boolean }

const together = 5 * 60_000 // ms within which messages of one person stand together

/** Day is the rows of a day, under its name. */
export interface Day { key: string; at: string; rows: Exclude<Row, { kind: "day" }>[] }

/** daysOf puts rows together by day. */
export function daysOf(rows: readonly Row[]): Day[] {
  const days: Day[] = []
  for (const row of rows) {
    if (row.kind === "day") days.push({ key: row.key, at: row.at, rows: [] })
    else days.at(-1)?.rows.push(row)
  }
  return days
}

/**
 * rowsOf makes the rows. me is who oneself is here; after is the last message that was read. own says that one's own
 * messages after it are unread as well: one has marked them so.
 */
export function rowsOf(messages: readonly Message[], pending: readonly Pending[], me: string,
  after: string | undefined, complete: boolean, own = false): Row[] {
  const rows: Row[] = []
  const taken = new Set<string>()
  const unread = firstUnread(messages, own ? "" : me, after, complete)
  let last: { by: string | undefined; at: string } | undefined
  const day = (at: string) => {
    if (last && dayKey(last.at) === dayKey(at)) return
    rows.push({ kind: "day", key: uniqueKey(taken, "day " + dayKey(at)), at })
    last = undefined
  }
  messages.forEach((message, i) => {
    day(message.at)
    if (i === unread) {
      rows.push({ kind: "new", key: "new" })
      last = undefined
    }
    const compact = last !== undefined && joins(last, message.by?.id, message.at) && !stands(message)
    rows.push({ kind: "message", key: keyOf(taken, message, me), message, compact })
    last = stands(message) ? { by: undefined, at: message.at } : { by: message.by?.id, at: message.at }
  })
  for (const p of pending) {
    if (taken.has(p.origin)) continue // it is there, and its acknowledgement is on the way
    day(p.at)
    const compact = last !== undefined && joins(last, me, p.at) && !p.reply
    rows.push({ kind: "pending", key: uniqueKey(taken, p.origin), pending: p, compact })
    last = { by: me, at: p.at }
  }
  return rows
}

// Only one's own messages are known by their origin: others could choose the same.
function keyOf(taken: Set<string>, message: Message, me: string): string {
  const own = message.origin !== undefined && message.by?.id === me && !taken.has(message.origin)
  return uniqueKey(taken, own ? message.origin! : message.id)
}

function uniqueKey(taken: Set<string>, key: string): string {
  while (taken.has(key)) key += "'"
  taken.add(key)
  return key
}

function joins(last: { by: string | undefined; at: string }, by: string | undefined, at: string): boolean {
  const apart = Date.parse(at) - Date.parse(last.at)
  return by !== undefined && last.by === by && apart >= 0 && apart < together
}

/** stands says whether a message is shown by itself, not below the name that is above it. */
function stands(m: Message): boolean {
  if (m.by === undefined || m.reply !== undefined || m.removed !== undefined) return true
  return m.kind === "subject" || m.kind === "me"
}

/** firstUnread gives the place of the first message of others after the last that was read; -1 if it is not loaded. */
export function firstUnread(messages: readonly Message[], me: string, after: string | undefined,
  complete: boolean): number {
  if (after === undefined) return -1
  let from = messages.findIndex((m) => m.id === after) + 1
  if (from === 0) {
    // The message that was read is gone, or farther up: ids are in order of time.
    from = messages.findIndex((m) => m.id > after)
    if (from < 0 || from === 0 && !complete) return -1
  }
  const first = messages.findIndex((m, i) => i >= from && m.by?.id !== me)
  return first
}
