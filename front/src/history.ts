// The messages of conversations, a part at a time. What arrives while a part is loaded is put in afterwards.

import { batch, effect, signal, type Signal } from "@preact/signals"
import { at, call, detailOf, query } from "./api"
import { settle } from "./late"
import { keepSoon, keptOf } from "./offline"
import { pinsIn, takePins } from "./pins"
import { conversations, current, fetchOne, loaded } from "./store"
import type { Message, MessagePage } from "./types"

/** History is what is loaded of a conversation's messages: one part without gaps. */
export interface History {
  /** messages are oldest first. */
  messages: Signal<readonly Message[]>
  /** older and newer say whether there is more at either end. */
  older: Signal<boolean>
  newer: Signal<boolean>
  loading: Signal<boolean>
  error: Signal<string | undefined>
  /** firstUnread is the id of the message after which "new" is drawn, kept while the conversation is open. */
  firstUnread: Signal<string | undefined>
  /** open loads the part with the first unread message, or around a message; nothing if that is there already. */
  open(around?: string): Promise<void>
  loadOlder(): Promise<void>
  loadNewer(): Promise<void>
  /** toNewest loads the newest part, unless it is there. */
  toNewest(): Promise<void>
}

const size = 50 // messages that are asked for at once
const kept = 30 // conversations
const most = 1000 // messages of a conversation that is open
const resting = 200 // messages of one that is not

class Part implements History {
  messages = signal<readonly Message[]>([])
  older = signal(false)
  newer = signal(false)
  loading = signal(false)
  error = signal<string | undefined>(undefined)
  firstUnread = signal<string | undefined>(undefined)

  private state: "empty" | "loaded" | "stale" = "empty"
  private arrived: { message: Message; fresh: boolean }[] = []
  private asked = 0
  private first: Promise<void> | undefined

  constructor(private readonly id: string) {}

  async open(around?: string): Promise<void> {
    if (this.state === "stale") this.clear()
    if (this.state === "loaded" && this.suffices(around)) return
    this.first = this.openAt(around)
    await this.first
  }

  /** suffices says whether what is loaded has what is to be shown: a message, or else the first unread one. */
  private suffices(around: string | undefined): boolean {
    if (around !== undefined) return this.has(around)
    const c = conversations.peek().get(this.id)
    if (c?.unread && c.read && this.older.peek() && !this.has(c.read)) return false
    if (this.firstUnread.peek() === undefined) this.markUnread(c?.unread ?? 0, c?.read)
    return true
  }

  private has(id: string): boolean {
    return this.messages.peek().some((m) => m.id === id)
  }

  /** openAt loads the part around a message, the one with the last read message, or the newest. */
  private async openAt(around: string | undefined): Promise<void> {
    if (around === undefined) void this.showKept()
    const known = loaded.peek() ? conversations.peek().get(this.id) : undefined
    const read = known?.unread ? known.read : undefined
    let far: string | undefined
    const use = (page: MessagePage) => {
      const c = conversations.peek().get(this.id)
      const read = c?.unread ? c.read : undefined
      const lacks = read && page.older && !page.messages.some((m) => m.id === read)
      if (!known && around === undefined && !far && lacks) {
        far = read
        return
      }
      this.replace(page)
      this.markUnread(c?.unread ?? 0, c?.read)
    }
    // A conversation of which nothing is known yet, at the start of the page: both at once, and one more if need be.
    const asked = known ? undefined : fetchOne(this.id)
    await this.load({ around: around ?? read }, use, asked)
    if (far) await this.load({ around: far }, use)
  }

  /** showKept shows the messages of the last visit until the server's are there. */
  private async showKept(): Promise<void> {
    const messages = await keptOf(this.id)
    if (!messages.length || !this.isEmpty() || this.messages.peek().length) return
    batch(() => {
      this.messages.value = messages
      this.older.value = true
    })
  }

  private isEmpty(): boolean {
    return this.state === "empty"
  }

  loadOlder(): Promise<void> {
    const first = this.messages.peek()[0]
    if (!first || !this.older.peek() || this.loading.peek()) return Promise.resolve()
    return this.load({ before: first.id }, (page) => {
      const all = [...page.messages, ...this.messages.peek()]
      // Far from the newest, these are given up: they are loaded again on the way back.
      if (all.length > most) this.newer.value = true
      this.messages.value = unique(all.slice(0, most))
      this.older.value = page.older
    })
  }

  loadNewer(): Promise<void> {
    const last = this.messages.peek().at(-1)
    if (!last || this.loading.peek()) return Promise.resolve()
    return this.load({ after: last.id }, (page) => {
      const all = [...this.messages.peek(), ...page.messages]
      if (all.length > most) this.older.value = true
      this.messages.value = unique(all.slice(-most))
      this.newer.value = page.newer
    })
  }

  toNewest(): Promise<void> {
    if (this.state === "loaded" && !this.newer.peek()) return Promise.resolve()
    return this.load({}, (page) => this.replace(page))
  }

  /** renew loads what may have been missed. What is there stays in view meanwhile. */
  async renew(): Promise<void> {
    if (this.isEmpty()) {
      await this.first
      if (this.isEmpty()) await this.openAt(undefined) // the line was down
      // The page may be from before the events began: not only messages may have come since, but changes of others.
      else if (!this.newer.peek()) await this.load({}, (page) => this.join(page))
      return
    }
    const known = this.messages.peek()
    const middle = known[Math.floor(known.length / 2)]?.id
    if (this.newer.peek()) await this.load({ around: middle }, (page) => this.replace(page))
    else await this.load({}, (page) => this.join(page))
  }

  /** join puts the newest page to what is there. With a gap between them, what is there stays, and newer is loaded. */
  private join(page: MessagePage): void {
    const first = page.messages[0]
    const before = first && page.older ? this.messages.peek().filter((m) => m.id < first.id) : []
    const meets = first === undefined || this.messages.peek().some((m) => m.id >= first.id)
    if (before.length && !meets) {
      this.newer.value = true
      return
    }
    if (!before.length) return this.replace(page)
    this.messages.value = [...before, ...page.messages]
    this.newer.value = page.newer
  }

  /** take puts in a message that has arrived or changed. */
  take(message: Message, fresh: boolean): void {
    if (this.loading.peek()) this.arrived.push({ message, fresh })
    if (this.state === "empty") return
    this.insert(message, fresh)
    this.keep()
  }

  /** keep has the newest messages kept for the next visit. */
  private keep(): void {
    keepSoon(this.id, () => this.state === "loaded" && !this.newer.peek() ? this.messages.peek() : undefined)
  }

  /** patch changes a message that is there. */
  patch(id: string, change: (m: Message) => Message): void {
    const all = this.messages.peek()
    if (!all.some((m) => m.id === id)) return
    this.messages.value = all.map((m) => m.id === id ? change(m) : m)
    this.keep()
  }

  /** rest gives up what is not needed while the conversation is not open. */
  rest(): void {
    this.firstUnread.value = undefined
    const all = this.messages.peek()
    if (this.newer.peek()) return this.clear() // it opens at the newest again
    if (all.length <= resting) return
    this.messages.value = all.slice(-resting)
    this.older.value = true
  }

  private clear(): void {
    this.state = "empty"
    this.messages.value = []
    this.older.value = this.newer.value = false
  }

  /** expire has the next open load anew. */
  expire(): void {
    if (this.state === "loaded") this.state = "stale"
  }

  private insert(message: Message, fresh: boolean): void {
    const all = this.messages.peek()
    const old = all.findIndex((m) => m.id === message.id)
    if (old >= 0) {
      if (!isOlder(message, all[old])) this.messages.value = all.with(old, message)
    } else if (fresh && !this.newer.peek()) {
      if (all.length >= most) this.older.value = true
      const place = all.findLastIndex((m) => m.id < message.id) + 1 // almost always the end
      this.messages.value = [...all.slice(0, place), message, ...all.slice(place)].slice(-most)
    }
  }

  private async load(where: Record<string, string | undefined>, use: (page: MessagePage) => void,
    also?: Promise<unknown>): Promise<void> {
    const mine = ++this.asked
    batch(() => {
      this.loading.value = true
      this.error.value = undefined
    })
    try {
      const path = at(this.id, "messages") + query({ ...where, limit: size })
      await settle(Promise.all([call<MessagePage>("GET", path), also]), ([page], newer) => {
        if (mine !== this.asked) return
        batch(() => {
          use(page)
          if (!newer(pinsIn(this.id))) takePins(this.id, page.pinned ?? [])
          this.state = "loaded"
          for (const { message, fresh } of this.arrived) this.insert(message, fresh)
        })
        this.keep()
      })
    } catch (err) {
      if (mine === this.asked) this.error.value = detailOf(err)
    } finally {
      if (mine === this.asked) {
        this.arrived = []
        this.loading.value = false
      }
    }
  }

  private replace(page: MessagePage): void {
    this.messages.value = page.messages
    this.older.value = page.older
    this.newer.value = page.newer
  }

  private markUnread(unread: number, read: string | undefined): void {
    if (!unread) return
    // Without a mark the last messages are the unread ones, if they are in this part.
    const before = this.newer.peek() ? undefined : this.messages.peek().at(-unread - 1)?.id
    this.firstUnread.value = read ?? before
  }
}

/**
 * isOlder says whether an answer was overtaken: what is shown of a message has more in it than what has arrived. A
 * message that was taken back does not come again.
 */
function isOlder(arrived: Message, shown: Message | undefined): boolean {
  if (!shown) return false
  if (arrived.removed || shown.removed) return !arrived.removed
  return (arrived.version ?? arrived.id) < (shown.version ?? shown.id)
}

function unique(all: readonly Message[]): readonly Message[] {
  return [...new Map(all.map((m) => [m.id, m])).values()]
}

const parts = new Map<string, Part>()

/** history gives the messages of a conversation. Those of the 30 that were used last are kept. */
export function history(conversation: string): History {
  return part(conversation)
}

/** part is history with what only the state uses. */
export function part(conversation: string): Part {
  let p = parts.get(conversation)
  if (p) parts.delete(conversation) // to the end: the first is the one that was used longest ago
  else p = new Part(conversation)
  parts.set(conversation, p)
  for (const id of parts.keys()) {
    if (parts.size <= kept) break
    if (id !== current.peek()?.conversation) parts.delete(id)
  }
  return p
}

/** knownPart is the part of a conversation if there is one. */
export function knownPart(conversation: string): Part | undefined {
  return parts.get(conversation)
}

/** dropHistory forgets the messages of a conversation. */
export function dropHistory(conversation: string): void {
  const p = parts.get(conversation)
  if (!p) return
  p.messages.value = []
  parts.delete(conversation)
}

/** watchCurrent has the messages of a conversation rest when another is opened. */
export function watchCurrent(): void {
  let before: string | undefined
  effect(() => {
    const now = current.value?.conversation
    if (before !== undefined && before !== now) parts.get(before)?.rest()
    before = now
  })
}

/** renewHistories loads the open conversation's messages anew, and has the others do so when they are opened. */
export function renewHistories(): void {
  const open = current.peek()?.conversation
  for (const [id, p] of parts) {
    if (id === open) void p.renew()
    else p.expire()
  }
}
