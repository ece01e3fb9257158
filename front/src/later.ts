// What the server sends later, and reminds one of. The server has it; here is a copy for all that show it.

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals"
import { at, call, detailOf } from "./api"
import { composing } from "./composing"
import { draft } from "./drafts"
import { T } from "./i18n"
import { settle, told } from "./late"
import { mentionsIn } from "./mentions"
import { momentsFrom, type Moment } from "./moments"
import { asking } from "./panes"
import { go } from "./route"
import { conversations, line, listed } from "./store"
import { whenText } from "./time"
import { toast } from "./toast"
import type { Conversation, FileRef, Mention } from "./types"
import type { MenuItem } from "./menu"
import { attachments, takeFiles } from "./uploads"

/** Scheduled is a message that is sent later, or a reminder. */
export interface Scheduled {
  id: string; kind: "message" | "reminder"; conversation?: string; where?: string; at: string; text: string
  reply?: string; files?: FileRef[]; mentions?: Mention[]; message?: string
  failed?: string  // why it was not sent
}

/** scheduled is all of it, the first first. */
export const scheduled = signal<readonly Scheduled[]>([])

/** scheduledIn are the messages of each conversation. */
export const scheduledIn: ReadonlySignal<ReadonlyMap<string, readonly Scheduled[]>> = computed(() => {
  const by = new Map<string, Scheduled[]>()
  for (const x of scheduled.value) {
    if (x.kind === "message" && x.conversation) by.set(x.conversation, [...by.get(x.conversation) ?? [], x])
  }
  return by
})

/** loadScheduled loads everything. */
export async function loadScheduled(): Promise<void> {
  try {
    await settle(call<{ scheduled: Scheduled[] }>("GET", "/scheduled"), (all, newer) => {
      const known = scheduled.peek().filter((x) => newer(nameOf(x.id)))
      scheduled.value = inOrder([...all.scheduled.filter((x) => !newer(nameOf(x.id))), ...known])
    })
  } catch {
    // Without an answer nothing is shown of it; the next time of being online asks again.
  }
}

/** watchScheduled loads what is scheduled after the conversations are there, whenever the line is back. */
export function watchScheduled(): void {
  effect(() => {
    if (line.value === "online" && listed.value > 0) void loadScheduled()
  })
}

const nameOf = (id: string): string => "scheduled " + id

function inOrder(all: readonly Scheduled[]): readonly Scheduled[] {
  return [...all].sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
}

/** takeScheduled notes one that is new or different. */
export function takeScheduled(x: Scheduled): void {
  scheduled.value = inOrder([...scheduled.peek().filter((o) => o.id !== x.id), x])
  told(nameOf(x.id))
}

/** takeMade notes what an answer says of one, unless an event knows better: it may be sent already. */
export function takeMade(asked: Promise<Scheduled>): Promise<Scheduled> {
  return settle(asked, (x, newer) => {
    if (!newer(nameOf(x.id))) takeScheduled(x)
  })
}

/** dropScheduled forgets one that is sent or deleted. */
export function dropScheduled(id: string): void {
  scheduled.value = scheduled.peek().filter((x) => x.id !== id)
  told(nameOf(id))
}

/** written says whether there is anything to send in a conversation's field. */
function written(c: Conversation): boolean {
  return draft(c.id).peek().trim() !== "" || attachments(c.id).peek().length > 0
}

/** scheduleDraft has what is in the field sent later. It throws a Problem, and then what was written stays. */
export async function scheduleDraft(c: Conversation, when: Date): Promise<void> {
  const { reply, names } = composing(c.id)
  const own = draft(c.id)
  const before = own.peek()
  const files = attachments(c.id).peek()
  if (files.some((a) => a.state !== "ready")) {
    toast(T("Wait until the files are sent, or remove them."), { error: true })
    return
  }
  const text = before.trim()
  const mentions = mentionsIn(text, names.peek())
  const made = await takeMade(call<Scheduled>("POST", at(c.id, "scheduled"), {
    at: when.toISOString(),
    text,
    ...(reply.peek() ? { reply: reply.peek()!.id } : {}),
    ...(files.length ? { files: files.flatMap((a) => a.ref ?? []) } : {}),
    ...(mentions.length ? { mentions } : {}),
  }))
  // Something was written meanwhile: it stays.
  if (own.peek() === before) {
    own.value = ""
    names.value = {}
  }
  takeFiles(c.id)
  reply.value = undefined
  toast(T("The message will be sent {{.When}}.", { When: whenText(made.at) }),
    { act: { label: T("Show"), do: () => go({ view: "scheduled" }) } })
}

/** changeScheduled changes the text or the time. It throws a Problem. */
export async function changeScheduled(id: string,
  to: { at?: string; text?: string; mentions?: Mention[] }): Promise<void> {
  await takeMade(call<Scheduled>("PATCH", "/scheduled/" + encodeURIComponent(id), to))
}

/** sendScheduled sends one now. */
export async function sendScheduled(id: string): Promise<void> {
  await call("POST", `/scheduled/${encodeURIComponent(id)}/send`)
  dropScheduled(id)
}

/** deleteScheduled has one not sent. */
export async function deleteScheduled(id: string): Promise<void> {
  await call("DELETE", "/scheduled/" + encodeURIComponent(id))
  dropScheduled(id)
}

/** momentText names a time that is offered. */
export function momentText(m: Moment): string {
  switch (m.key) {
    case "hour": return T("In an hour")
    case "evening": return T("This evening")
    case "tomorrow": return T("Tomorrow morning")
    case "monday": return T("Monday morning")
  }
}

/** laterItems are the lines of the composer's menu that send later. */
export function laterItems(c: Conversation): MenuItem[] {
  const nothing = !written(c)
  const send = (when: Date) => void scheduleDraft(c, when).catch((err) => toast(detailOf(err), { error: true }))
  const items: MenuItem[] = nothing
    ? [{ label: T("Send later …"), icon: "clock", detail: T("Write the message first."), disabled: true,
      do: () => undefined, line: true }]
    : [
      ...momentsFrom(new Date()).map((m, i): MenuItem => ({ label: T("Send later: {{.When}}", { When: momentText(m) }),
        detail: whenText(m.at), icon: "clock", line: i === 0, do: () => send(m.at) })),
      { label: T("Send later …"), icon: "calendar", detail: T("Choose a day and a time"),
        do: () => { asking.value = { what: "later", conversation: c.id } } },
    ]
  if (scheduled.peek().length) {
    items.push({ label: T("Scheduled messages ({{.Count}})", { Count: scheduled.peek().length }), icon: "list",
      do: () => go({ view: "scheduled" }) })
  }
  return items
}

/** placeText names the conversation of something scheduled. */
export function placeText(x: Scheduled): string {
  const c = x.conversation === undefined ? undefined : conversations.value.get(x.conversation)
  return x.where ?? c?.name ?? T("A conversation that you cannot read any more")
}
