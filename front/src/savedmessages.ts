// Messages that one has saved for later. The server keeps which they are; here is what has changed since they were
// loaded.

import { signal } from "@preact/signals"
import { at, call, detailOf, query } from "./api"
import { T } from "./i18n"
import { toast } from "./toast"
import type { Message } from "./types"

/** SavedMessage is a message that one has saved. lost: one may not read it any more, or it is gone. */
export interface SavedMessage {
  conversation: string
  id: string
  at: string
  where?: string
  message?: Message
  lost?: "right" | "gone"
}

/** SavedPage is a part of the list. */
export interface SavedPage { saved: SavedMessage[]; more?: string }

/** SavedMark names a message that is saved. */
export interface SavedMark { conversation: string; id: string }

/** marks has what is saved; undefined: it is not loaded. */
const marks = signal<ReadonlySet<string> | undefined>(undefined)

/** savedChanges counts what was told, for the list to load anew. */
export const savedChanges = signal(0)

const key = (m: SavedMark) => m.conversation + " " + m.id

let asked = false

/** loadMarks loads which messages are saved, once: when somebody first looks at what can be done with a message. */
export async function loadMarks(): Promise<void> {
  if (asked) return
  asked = true
  try {
    const all = await call<{ saved: SavedMark[] }>("GET", "/saved-messages/marks")
    marks.value = new Set(all.saved.map(key))
  } catch {
    asked = false // the next look asks again
  }
}

/** isSaved says whether a message is saved; false if that is not known yet. */
export function isSaved(conversation: string, id: string): boolean {
  return marks.value?.has(key({ conversation, id })) ?? false
}

/** takeSaved notes what an event says. */
export function takeSaved(m: SavedMark, saved: boolean): void {
  savedChanges.value++
  if (!marks.peek()) return
  const next = new Set(marks.peek())
  if (saved) next.add(key(m))
  else next.delete(key(m))
  marks.value = next
}

/** forgetSaved drops what is known, when the browser may have missed something. */
export function forgetSaved(): void {
  asked = false
  marks.value = undefined
  savedChanges.value++
}

/** setSaved saves a message, or takes it out again. */
export async function setSaved(conversation: string, id: string, saved: boolean): Promise<void> {
  try {
    if (saved) await call("PUT", at(conversation, "messages", id, "saved"))
    else await call("DELETE", at(conversation, "messages", id, "saved"))
    takeSaved({ conversation, id }, saved)
    toast(saved ? T("The message is saved for later.") : T("The message is not saved any more."))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}

/** loadSaved loads a part of the list. */
export function loadSaved(before?: string): Promise<SavedPage> {
  return call<SavedPage>("GET", "/saved-messages" + query({ before }))
}
