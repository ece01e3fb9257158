// What the browser knows of the account: oneself, the conversations, who is there. Events and calls write it, the views
// read it.

import { batch, computed, signal, type ReadonlySignal } from "@preact/signals"
import { call, at } from "./api"
import { boot } from "./boot"
import { settle, told, type Newer } from "./late"
import type { Author, Conversation, Me, Status } from "./types"

/** me is the account that is signed in. */
export const me = signal<Me>(boot.me ?? { address: "", name: "" })

/** setMe notes who one is and what one shows. */
export function setMe(now: Me): void {
  me.value = now
  told("me")
}

/** conversations are all that one can read, by id. */
export const conversations = signal<ReadonlyMap<string, Conversation>>(new Map())

/** restored is true once the conversations of the last visit are there. */
export const restored = signal(false)

/** loaded is true once the conversations have been loaded. problem says why they were not. */
export const loaded = signal(false)
export const problem = signal<string | undefined>(undefined)

/** listed counts how often the conversations were loaded: what belongs to them is loaded again then. */
export const listed = signal(0)

/** order has the conversations, the one with the newest message first. */
export const order: ReadonlySignal<readonly Conversation[]> = computed(() =>
  [...conversations.value.values()].sort((a, b) => time(b.last?.at) - time(a.last?.at)))

/** current is the conversation that the address names, and the message if it names one. */
export const current = signal<{ conversation: string; message?: string } | undefined>(undefined)

/** Line is how the connection with the server is. */
export type Line = "connecting" | "online" | "offline" | "signedout"

/** line is the state of the connection. */
export const line = signal<Line>("connecting")

/** typers are those who are writing, by conversation. */
export const typers = signal<ReadonlyMap<string, Author[]>>(new Map())

/** presence is the status of people, by address. */
export const presence = signal<ReadonlyMap<string, Status>>(new Map())

/** notices are what rooms say to oneself alone, by conversation, until they are closed. */
export const notices = signal<ReadonlyMap<string, readonly string[]>>(new Map())

/** takeNotice adds what a conversation says to oneself alone. */
export function takeNotice(id: string, text: string): void {
  const next = new Map(notices.peek())
  next.set(id, [...(next.get(id) ?? []).slice(-9), text])
  notices.value = next
}

/** time is a moment in milliseconds, for comparing; 0 if there is none. */
export function time(moment: string | undefined): number {
  return moment ? Date.parse(moment) || 0 : 0
}

/** Told is a conversation as it is told of: what is as before can be left out. */
export type Told = Partial<Conversation> & Pick<Conversation, "id">

const unknown = {
  kind: "room", name: "", me: "", unread: 0, mentions: 0, write: false, manage: false, startsThemes: false,
  react: false, notify: "all",
} as const

/** put adds conversations, or what is different of them. */
export function put(...changed: Told[]): void {
  const known = conversations.peek()
  const next = new Map(known)
  for (const c of changed) {
    // Of several people the server says who they are each time, and says nothing of nobody.
    const anew = c.kind === "several" ? { people: [], named: false } : {}
    next.set(c.id, { ...unknown, ...next.get(c.id), ...anew, ...c })
    // That it is there is told of once: a list without it may be right later.
    told(...Object.keys(c).filter((field) => field !== "id" || !known.has(c.id)).map((field) => `${c.id} ${field}`))
  }
  batch(() => {
    conversations.value = next
    for (const c of changed) if (c.status) setPresence(c.id, c.status)
  })
}

/**
 * replaceAll replaces all conversations, when they were loaded anew. newer says what is newer than the list: without
 * it, nothing is told of, for the list is one that was kept.
 */
export function replaceAll(all: readonly Conversation[], newer?: Newer): void {
  batch(() => {
    const before = conversations.peek()
    const open = current.peek()?.conversation
    const next = new Map<string, Conversation>()
    for (const c of all) {
      if (newer?.(gone(c.id))) continue
      next.set(c.id, { ...unknown, ...c, ...(newer && newerOf(before.get(c.id), newer)) })
    }
    for (const c of before.values()) {
      // One that is open and not in the list is with a colleague whom one has not written to.
      const stays = c.id === open && c.kind === "person" && !c.last || newer?.(`${c.id} id`)
      if (stays && !next.has(c.id)) next.set(c.id, c)
    }
    conversations.value = next
    const known = new Map(presence.peek())
    for (const c of all) {
      if (c.kind === "person" && c.status && !newer?.(presenceOf(c.id))) known.set(c.id, c.status)
      if (newer) told(presenceOf(c.id), ...Object.keys(c).map((field) => `${c.id} ${field}`))
    }
    presence.value = known
  })
}

/** gone and presenceOf name what is told of a conversation and of a person. Fields have the names "ID FIELD". */
const gone = (id: string): string => `${id} gone`
const presenceOf = (address: string): string => `${address} presence`

/** newerOf gives the fields of a conversation that were told of since an answer was asked for. */
function newerOf(c: Conversation | undefined, newer: Newer): Partial<Conversation> {
  return Object.fromEntries(Object.entries(c ?? {}).filter(([field]) => newer(`${c!.id} ${field}`)))
}

/** putAnswer adds what an answer says of a conversation, except for what is known better meanwhile. */
export function putAnswer(c: Conversation, newer: Newer): void {
  if (newer(gone(c.id))) return
  const { status, ...rest } = c
  put({
    ...rest,
    ...newerOf(conversations.peek().get(c.id), newer),
    ...(status && !newer(presenceOf(c.id)) ? { status } : {}),
  })
}

/** change changes some of what is known of a conversation. */
export function change(id: string, to: Partial<Conversation>): void {
  const c = conversations.peek().get(id)
  if (c) put({ id, ...to })
}

/** remove takes a conversation away. */
export function remove(id: string): void {
  const next = new Map(conversations.peek())
  if (next.delete(id)) conversations.value = next
  told(gone(id))
}

/** setPresence notes somebody's status. */
export function setPresence(address: string, status: Status): void {
  const next = new Map(presence.peek())
  next.set(address, status)
  presence.value = next
  told(presenceOf(address))
}

/** self is oneself as an author in a conversation. */
export function self(conversation: string): Author {
  const { address, name, photo } = me.peek()
  const id = conversations.peek().get(conversation)?.me ?? address
  return { id, name, address, ...(photo ? { photo } : {}) }
}

/** isMine says whether somebody in a conversation is oneself. */
export function isMine(conversation: string, by: Author | undefined): boolean {
  return by !== undefined && by.id === self(conversation).id
}

const fetching = new Map<string, Promise<Conversation>>()

/** fetchOne loads one conversation, which need not be in the list: a colleague one has not written to, say. */
export function fetchOne(id: string): Promise<Conversation> {
  let asked = fetching.get(id)
  if (!asked) {
    asked = fetchNow(id, 3).finally(() => fetching.delete(id))
    fetching.set(id, asked)
  }
  return asked
}

/** fetchNow asks again, a few times at most, if a message came meanwhile: the answer may not have counted it. */
async function fetchNow(id: string, tries: number): Promise<Conversation> {
  let missed = false
  const c = await settle(call<Conversation>("GET", at(id)), (c, newer) => {
    missed = newer(said(id))
    putAnswer(c, newer)
  })
  return missed && tries > 1 ? fetchNow(id, tries - 1) : c
}

/** said names the newest messages of a conversation, where they are told of. */
export const said = (id: string): string => `${id} said`
