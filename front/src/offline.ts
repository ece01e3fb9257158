// Opening while offline: what was there last is shown until the server answers, and if it does not. It is wiped at the
// end of the session, and room by room when one may not read a room any more. An organization can forbid it.

import { effect, signal } from "@preact/signals"
import { sessionOver } from "./api"
import { boot } from "./boot"
import { dropMessages, forget, keepMessages, keepTree, keptMessages, keptTree } from "./keptdb"
import { conversations, loaded, me, replaceAll, restored } from "./store"
import type { Conversation, Message } from "./types"

const pause = 1000 // ms: what changes often is written once

/** keeps is whether anything may be kept. A page that was kept itself learns later that it may not. */
const keeps = signal(boot.keeps !== false)

/** mayKeep takes what the server says of keeping. */
export function mayKeep(may: boolean): void {
  keeps.value = may
}

/** restore shows the conversations that are kept, unless the server was faster. */
export async function restore(): Promise<void> {
  if (!keeps.peek()) return
  const tree = await keptTree()
  if (!tree || !keeps.peek()) return
  if (tree.owner !== me.peek().address) return forget() // somebody else has used this browser
  if (loaded.peek() || sessionOver.peek()) return
  const known = conversations.peek()
  replaceAll([...tree.conversations.filter((c) => !known.has(c.id)), ...known.values()])
  restored.value = true
}

/** watchKept keeps the conversations, and forgets everything at the end of the session. */
export function watchKept(): void {
  let timer: ReturnType<typeof setTimeout> | undefined
  effect(() => {
    void conversations.value
    if (!loaded.value) return
    clearTimeout(timer)
    timer = setTimeout(() => void writeTree(), pause)
  })
  sessionOver.subscribe((over) => over && void forget())
  keeps.subscribe((may) => {
    if (!may) void forget()
    else if (loaded.peek()) void writeTree()
  })
}

async function writeTree(): Promise<void> {
  if (sessionOver.peek() || !keeps.peek()) return
  const bare = ({ status: _, ...c }: Conversation): Conversation => c // who is there now is not known then
  await keepTree({ owner: me.peek().address, conversations: [...conversations.peek().values()].map(bare) })
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>()

/** keepSoon keeps the newest messages of a conversation in a moment. newest gives them; undefined: they are not there. */
export function keepSoon(id: string, newest: () => readonly Message[] | undefined): void {
  if (waiting.has(id)) return
  waiting.set(id, setTimeout(() => {
    waiting.delete(id)
    const messages = newest()
    if (messages && !sessionOver.peek() && keeps.peek()) void keepMessages(id, messages)
  }, pause))
}

/** keptOf gives the messages that are kept of a conversation. */
export function keptOf(id: string): Promise<Message[]> {
  return sessionOver.peek() || !keeps.peek() ? Promise.resolve([]) : keptMessages(id)
}

/** dropKept gives up what is kept of a conversation, at once: one may not read it any more. */
export function dropKept(id: string): void {
  clearTimeout(waiting.get(id))
  waiting.delete(id)
  void dropMessages((kept) => kept === id)
  void writeTree()
}

/** keepOnly gives up what is kept of conversations that are not in the server's list any more. */
export function keepOnly(all: readonly Conversation[]): void {
  const known = new Set(all.map((c) => c.id))
  void dropMessages((id) => !known.has(id))
}
