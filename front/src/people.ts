// Looking for colleagues and conversations.

import { call, query } from "./api"
import { statusText } from "./avatar"
import { fold } from "./fold"
import { T } from "./i18n"
import type { Choice, Found } from "./picker"
import { conversations, order, presence } from "./store"
import type { Colleague, Conversation } from "./types"

/** Part is a department or, with a slug, a team, and how many others are in it. */
export interface Part { name: string; slug?: string; people: number }

/** parts gives the departments and teams by which one can choose colleagues. */
export function parts(): Promise<{ departments: Part[]; teams: Part[] }> {
  return call("GET", "/colleagues/parts")
}

const pageSize = 100

/**
 * colleagues finds accounts by words, of a department or a team if part is one; those in without, of whom oneself is
 * the first, are left out. The server gives them in pages, and so does what it finds.
 */
export function colleagues(words: string, cancel: AbortSignal | undefined, without: readonly string[] = [],
  limit = 20, part?: Part): Promise<Found> {
  const where = part && (part.slug ? { team: part.slug } : { department: part.name })
  const page = async (offset: number, n: number, stop?: AbortSignal) => {
    const path = "/colleagues" + query({ q: words, others: without.length ? "true" : undefined, offset, limit: n, ...where })
    const { people, total } = await call<{ people: Colleague[]; total: number }>("GET", path, undefined, stop)
    const end = offset + people.length
    const choices = people.filter((p) => !without.includes(p.address ?? p.id)).map(asChoice)
    return { choices, end, total, whole: end >= total || people.length === 0 }
  }
  const found = async (offset: number, stop?: AbortSignal): Promise<Found> => {
    const { choices, end, total, whole } = await page(offset, limit, stop)
    if (whole) return { choices, total }
    return { choices, total, more: true, next: () => found(end), ...(without.length > 1 ? {} : { all: everyone }) }
  }
  const everyone = async () => {
    const all: Choice[] = []
    for (let offset = 0; ;) {
      const { choices, end, whole } = await page(offset, pageSize)
      all.push(...choices)
      if (whole) return all
      offset = end
    }
  }
  return found(0, cancel)
}

function asChoice(p: Colleague): Choice {
  const id = p.address ?? p.id
  const status = presence.peek().get(id) ?? p.status
  const there = status && status.show !== "offline" ? statusText(status) : ""
  const detail = [p.title, there, id].filter(Boolean).join(" · ")
  return { id, name: p.name, detail, photo: p.photo, status }
}

/** conversationsLike finds conversations by the beginnings of their words, the newest first. */
export function conversationsLike(words: string, limit: number): Conversation[] {
  const wanted = fold(words).split(/\s+/).filter(Boolean)
  const out: Conversation[] = []
  for (const c of order.peek()) {
    const has = fold(whereText(c)).split(/[^\p{L}\p{N}]+/u)
    if (!wanted.every((w) => has.some((h) => h.startsWith(w)))) continue
    out.push(c)
    if (out.length >= limit) break
  }
  return out
}

/** whereText names a conversation, a theme with its group. */
export function whereText(c: Conversation): string {
  const parent = c.parent ? conversations.value.get(c.parent) : undefined
  return parent ? `${parent.name} › ${c.name}` : c.name
}

/** conversationChoice makes a line of a picker of a conversation. */
export function conversationChoice(c: Conversation): Choice {
  const news = [c.mentions ? T("{{.Count}} mentions", { Count: c.mentions }) : "",
    c.unread ? T("{{.Count}} unread", { Count: c.unread }) : ""].filter(Boolean).join(", ")
  const status = c.kind === "person" ? presence.peek().get(c.id) ?? c.status : undefined
  return {
    id: c.id,
    name: whereText(c),
    detail: news || undefined,
    photo: c.photo,
    status,
    ...(c.kind === "person" ? {} : { icon: c.kind === "several" ? "users" : c.restricted ? "lock" : "hash" }),
  }
}
