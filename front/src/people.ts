// Looking for colleagues and conversations.

import { call, query } from "./api"
import { statusText } from "./avatar"
import { fold } from "./fold"
import { T } from "./i18n"
import type { Choice, Found } from "./picker"
import { conversations, order, presence } from "./store"
import type { Colleague, Conversation } from "./types"

/** colleagues finds accounts by words; those in without are left out. */
export async function colleagues(words: string, cancel: AbortSignal, without: readonly string[] = [],
  limit = 20): Promise<Found> {
  const path = "/colleagues" + query({ q: words, limit })
  const { people, total } = await call<{ people: Colleague[]; total: number }>("GET", path, undefined, cancel)
  const others = people.filter((p) => !without.includes(p.address ?? p.id))
  return { choices: others.map(asChoice), more: total > people.length }
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
