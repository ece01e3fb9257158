// Drafts on one's other devices: the server keeps what is written, a moment after it was written. What was typed here
// and the server does not have yet wins over what the server has.

import { effect } from "@preact/signals"
import { at, call } from "./api"
import { draft, drafted, onTyped } from "./drafts"
import { names, read, write } from "./kept"
import { settle, told, type Newer } from "./late"
import { current, line, listed } from "./store"

/** Draft is a draft that the server has; without a text it was sent or deleted. */
export interface Draft { conversation: string; text: string; at: string }

/** Synced is what the server had last of a draft. */
interface Synced { text: string; at: string }

const start = "synced/"
const most = 10_000 // characters: the server takes no more, and a longer draft stays here
const pause = 1500 // ms without a letter

/** whatOf says what to do with a draft: nothing, take the server's text, or give it the one from here. */
export function whatOf(local: string, synced: Synced | undefined, remote: Synced): "nothing" | "take" | "give" {
  if (local === remote.text || synced && remote.at !== "" && remote.at <= synced.at) return "nothing"
  return local === (synced?.text ?? "") ? "take" : "give"
}

/** textOf is a draft as it is kept elsewhere: blanks alone are none. */
function textOf(conversation: string): string {
  const text = draft(conversation).peek()
  return text.trim() ? text : ""
}

function syncedOf(conversation: string): Synced | undefined {
  try {
    const kept = read(start + conversation)
    return kept === undefined ? undefined : JSON.parse(kept) as Synced
  } catch {
    return undefined
  }
}

const draftIn = (conversation: string): string => `${conversation} draft`

function note(conversation: string, s: Synced): void {
  told(draftIn(conversation))
  write(start + conversation, s.text || s.at ? JSON.stringify(s) : undefined)
}

/** takeDraft follows what another device has written. */
export function takeDraft(d: Draft): void {
  told(draftIn(d.conversation))
  meet(d.conversation, { text: d.text, at: d.at })
}

function meet(conversation: string, remote: Synced): void {
  const local = textOf(conversation)
  const what = whatOf(local, syncedOf(conversation), remote)
  if (what === "give") give(conversation)
  if (what === "give" || what === "take" && local !== "" && isWritten(conversation)) return
  if (what === "take" || local === remote.text) note(conversation, remote)
  if (what === "take") draft(conversation).value = remote.text
}

/** isWritten says whether somebody is at the field of a conversation just now: its text is not changed under them. */
function isWritten(conversation: string): boolean {
  return current.peek()?.conversation === conversation && document.hasFocus() &&
    document.activeElement?.closest(".composer") != null
}

const waiting = new Map<string, ReturnType<typeof setTimeout>>()

/** give tells the server of a draft after a moment. */
function give(conversation: string): void {
  clearTimeout(waiting.get(conversation))
  waiting.set(conversation, setTimeout(() => void push(conversation), textOf(conversation) ? pause : 200))
}

async function push(conversation: string): Promise<void> {
  clearTimeout(waiting.get(conversation))
  waiting.delete(conversation)
  const text = textOf(conversation)
  if (text === (syncedOf(conversation)?.text ?? "") || Array.from(text).length > most) return
  try {
    const d = await call<Draft>("PUT", at(conversation, "draft"), { text })
    if ((syncedOf(conversation)?.at ?? "") < d.at) note(conversation, { text: d.text, at: d.at })
  } catch {
    // It stays here, and is told when the line is back.
  }
}

/** unsaved are the conversations with a draft that the server does not have. */
export function unsaved(): string[] {
  return [...drafted.peek()].filter((c) => textOf(c) !== (syncedOf(c)?.text ?? ""))
}

/** loadDrafts compares all drafts with those that the server has. */
export async function loadDrafts(): Promise<void> {
  try {
    await settle(call<{ drafts: Draft[] }>("GET", "/drafts"), ({ drafts }, newer) => meetAll(drafts, newer))
  } catch {
    // The next time of being online asks again.
  }
}

function meetAll(kept: readonly Draft[], newer: Newer): void {
  const remote = new Map(kept.map((d) => [d.conversation, d]))
  const known = [...names(start).map((name) => name.slice(start.length)), ...drafted.peek(), ...remote.keys()]
  for (const conversation of new Set(known)) {
    if (newer(draftIn(conversation))) continue
    const d = remote.get(conversation)
    meet(conversation, { text: d?.text ?? "", at: d?.at ?? "" })
  }
}

/** watchDrafts keeps drafts the same on all devices. */
export function watchDrafts(): void {
  onTyped(give)
  effect(() => {
    if (line.value === "online" && listed.value > 0) void loadDrafts()
  })
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") for (const conversation of waiting.keys()) void push(conversation)
  })
}
