// Messages that are written and not acknowledged yet. The browser keeps them, so that nothing is lost with a tab or a
// line; their origin ids have the server take each once.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals"
import { at, call, Problem } from "./api"
import { part } from "./history"
import { names, read, watch, write } from "./kept"
import { change, conversations, line } from "./store"
import type { FileRef, Mention, Message, Upload } from "./types"

/** Pending is a message that is not acknowledged. With error it was refused, and waits for a decision. */
export interface Pending {
  origin: string
  conversation: string
  text: string
  reply?: Message
  files: Upload[]
  mentions?: Mention[]
  preview?: string // the address of a link in the text that is described
  error?: string
  tried?: boolean // it may have arrived: the server looks for it
  at: string
}

const start = "out/"

/** outbox are the messages that are not acknowledged, oldest first. */
export const outbox = signal<readonly Pending[]>(kept())

/** failed are the conversations with a message that was refused. */
export const failed: ReadonlySignal<ReadonlySet<string>> = computed(() =>
  new Set(outbox.value.filter((p) => p.error !== undefined).map((p) => p.conversation)))

/** What could not be written to storage is at least kept by this tab. */
const unwritten = new Map<string, Pending>()

function kept(): Pending[] {
  const out: Pending[] = []
  for (const name of names(start)) {
    try {
      out.push(JSON.parse(read(name) ?? "") as Pending)
    } catch {
      write(name, undefined) // not ours
    }
  }
  return out.sort((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0)
}

function refresh(): void {
  outbox.value = [...kept(), ...unwritten.values()]
}

function keep(p: Pending): void {
  if (write(start + p.origin, JSON.stringify(p))) unwritten.delete(p.origin)
  else unwritten.set(p.origin, p)
  refresh()
}

/** acknowledge takes a message out of the outbox: the server has it. */
export function acknowledge(origin: string | undefined): void {
  if (!origin || !find(origin)) return
  discard(origin)
}

/** discard throws a message away that was not sent. */
export function discard(origin: string): void {
  write(start + origin, undefined)
  unwritten.delete(origin)
  refresh()
}

function find(origin: string): Pending | undefined {
  return outbox.peek().find((p) => p.origin === origin)
}

/** send has a message sent, now or when the line is back. It is shown at once. */
export function send(conversation: string, text: string,
  opts: { reply?: Message; files?: FileRef[]; mentions?: Mention[]; preview?: string } = {}): void {
  keep({
    origin: crypto.randomUUID(),
    conversation,
    text,
    ...(opts.reply ? { reply: opts.reply } : {}),
    files: opts.files ?? [],
    ...(opts.mentions?.length ? { mentions: opts.mentions } : {}),
    ...(opts.preview ? { preview: opts.preview } : {}),
    // Two messages of one millisecond keep their order.
    at: new Date(Math.max(Date.now(), 1 + Date.parse(outbox.peek().at(-1)?.at ?? "1970-01-01"))).toISOString(),
  })
  void work(conversation)
}

/** retry sends a message again that was refused. */
export function retry(origin: string): void {
  const p = find(origin)
  if (!p) return
  const { error: _, ...again } = p
  keep(again)
  void work(p.conversation)
}

const patience = 20_000 // ms for one message: those behind it wait meanwhile

const working = new Set<string>()
const pauses = new Map<string, number>()

/** work sends what waits in a conversation, one after the other. One tab does so at a time. */
async function work(conversation: string): Promise<void> {
  if (working.has(conversation)) return
  working.add(conversation)
  try {
    await alone("parley-send/" + conversation, async () => {
      refresh() // another tab may have sent some meanwhile
      for (let p = next(conversation); p; p = next(conversation)) {
        if (!await post(p)) return
      }
    })
  } finally {
    working.delete(conversation)
  }
}

function next(conversation: string): Pending | undefined {
  return outbox.peek().find((p) => p.conversation === conversation && p.error === undefined)
}

async function alone(name: string, act: () => Promise<void>): Promise<void> {
  if (navigator.locks) await navigator.locks.request(name, act)
  else await act()
}

/** post sends one message. It returns false if the line is down, and the rest has to wait. */
async function post(p: Pending): Promise<boolean> {
  try {
    if (!p.tried) keep({ ...p, tried: true })
    const m = await call<Message>("POST", at(p.conversation, "messages"), {
      text: p.text,
      origin: p.origin,
      ...(p.tried ? { again: true } : {}),
      ...(p.reply ? { reply: p.reply.id } : {}),
      ...(p.files.length ? { files: p.files } : {}),
      ...(p.mentions ? { mentions: p.mentions } : {}),
      ...(p.preview ? { preview: p.preview } : {}),
    }, undefined, patience)
    pauses.delete(p.conversation)
    sent(p, m)
    return true
  } catch (err) {
    if (err instanceof Problem && err.passing) {
      if (err.status !== 401) later(p.conversation)
      return false
    }
    keep({ ...p, error: err instanceof Problem ? err.detail : String(err) })
    return true
  }
}

/** sent shows the message that the server has in place of the one that waited. */
function sent(p: Pending, m: Message): void {
  const c = conversations.peek().get(p.conversation)
  // A line that is a command becomes no message: its answer comes as a notice.
  if (m.id) part(p.conversation).take(m, true)
  if (m.id && c && !(c.last && c.last.id > m.id)) {
    change(c.id, { last: { id: m.id, at: m.at, text: m.text, ...(m.by ? { by: m.by.name } : {}) } })
  }
  discard(p.origin)
}

/** later tries again after a pause that doubles, from 2 s to a minute. */
function later(conversation: string): void {
  const pause = Math.min(60_000, 2 * (pauses.get(conversation) ?? 1000))
  pauses.set(conversation, pause)
  setTimeout(() => void work(conversation), pause * (0.75 + Math.random() / 2))
}

/** watchOutbox sends what waits whenever the line is back, and follows what other tabs do. */
export function watchOutbox(): void {
  watch(start, refresh)
  effect(() => {
    if (line.value !== "online") return
    for (const conversation of new Set(outbox.peek().map((p) => p.conversation))) void work(conversation)
  })
}
