// Pinned messages of conversations.

import { signal } from "@preact/signals"
import { at, call, detailOf } from "./api"
import { T } from "./i18n"
import { settle, told } from "./late"
import { toast } from "./toast"
import type { Author, Conversation, Message } from "./types"

/** Pin is a message that is pinned. */
export interface Pin { at: string; by?: Author; message: Message }

/** pins has the ids of what is pinned, by conversation, as far as they are loaded. */
const pins = signal<ReadonlyMap<string, ReadonlySet<string>>>(new Map())

/** pinsOf gives the ids of what is pinned in a conversation. */
export function pinsOf(conversation: string): ReadonlySet<string> | undefined {
  return pins.value.get(conversation)
}

/** pinsIn names the pins of a conversation, where they are told of. */
export const pinsIn = (conversation: string): string => `${conversation} pins`

/** takePins notes what is pinned in a conversation. */
export function takePins(conversation: string, pinned: readonly string[]): void {
  told(pinsIn(conversation))
  const before = pins.peek().get(conversation)
  if ((before?.size ?? 0) === pinned.length && pinned.every((id) => before?.has(id))) return
  pins.value = new Map(pins.peek()).set(conversation, new Set(pinned))
}

/** isPinned says whether a message is pinned. */
export function isPinned(conversation: string, id: string): boolean {
  return pins.value.get(conversation)?.has(id) ?? false
}

/** mayPin says whether one may pin messages in a conversation. In a room without a group the server knows. */
export function mayPin(c: Conversation): boolean {
  return c.manage || c.kind === "person" || c.kind === "room" && c.write
}

/** setPinned pins a message for everyone, or unpins it. */
export async function setPinned(conversation: string, id: string, pinned: boolean): Promise<void> {
  try {
    if (pinned) await call("PUT", at(conversation, "messages", id, "pin"))
    else await call("DELETE", at(conversation, "messages", id, "pin"))
    toast(pinned ? T("The message is pinned for everyone.") : T("The message is not pinned any more."))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}

/** loadPins loads the pinned messages of a conversation. */
export async function loadPins(conversation: string): Promise<Pin[]> {
  const asked = call<{ pins: Pin[] }>("GET", at(conversation, "pins"))
  const { pins: all } = await settle(asked, ({ pins: all }, newer) => {
    if (!newer(pinsIn(conversation))) takePins(conversation, all.map((p) => p.message.id))
  })
  return all
}
