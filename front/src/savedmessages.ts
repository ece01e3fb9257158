// Messages that one has saved for later. The server keeps which they are; here is what has changed since they were
// loaded.

import { signal } from "@preact/signals"
import { at, call, detailOf, query } from "./api"
import { T } from "./i18n"
import { settle, told } from "./late"
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

/** marks says of messages whether they are saved, as far as that was loaded or told. */
const marks = signal<ReadonlyMap<string, boolean>>(new Map())

/** savedChanges counts what was told, for the list to load anew. */
export const savedChanges = signal(0)

const key = (m: SavedMark) => `saved ${m.conversation} ${m.id}`

let asked = false

/** loadMarks loads which messages are saved, once: when somebody first looks at what can be done with a message. */
export async function loadMarks(): Promise<void> {
  if (asked) return
  asked = true
  try {
    await settle(call<{ saved: SavedMark[] }>("GET", "/saved-messages/marks"), ({ saved }, newer) => {
      if (newer(forgotten)) return
      const known = [...marks.peek()].filter(([name]) => newer(name))
      marks.value = new Map([...saved.map((m) => [key(m), true] as const), ...known])
    })
  } catch {
    asked = false // the next look asks again
  }
}

/** isSaved says whether a message is saved; false if that is not known yet. */
export function isSaved(conversation: string, id: string): boolean {
  return marks.value.get(key({ conversation, id })) ?? false
}

/** takeSaved notes what an event says. */
export function takeSaved(m: SavedMark, saved: boolean): void {
  savedChanges.value++
  marks.value = new Map(marks.peek()).set(key(m), saved)
  told(key(m))
}

const forgotten = "saved nothing"

/** forgetSaved drops what is known, when the browser may have missed something. */
export function forgetSaved(): void {
  asked = false
  marks.value = new Map()
  savedChanges.value++
  told(forgotten)
}

/** setSaved saves a message, or takes it out again. */
export async function setSaved(conversation: string, id: string, saved: boolean): Promise<void> {
  try {
    await settle(call(saved ? "PUT" : "DELETE", at(conversation, "messages", id, "saved")), (_, newer) => {
      if (!newer(key({ conversation, id }))) takeSaved({ conversation, id }, saved)
    })
    toast(saved ? T("The message is saved for later.") : T("The message is not saved any more."))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}

/** loadSaved loads a part of the list. */
export function loadSaved(before?: string): Promise<SavedPage> {
  return call<SavedPage>("GET", "/saved-messages" + query({ before }))
}
