// Marking messages as unread. The conversation stays unread while it is open, until one opens it again or says something.

import { effect } from "@preact/signals"
import { forgetRead } from "./acts"
import { at, call, detailOf } from "./api"
import { part } from "./history"
import { T } from "./i18n"
import { settle } from "./late"
import { change, current } from "./store"
import { toast } from "./toast"
import type { Message } from "./types"

let held: string | undefined

/** isHeld says whether a conversation stays unread though one looks at it. */
export function isHeld(conversation: string): boolean {
  return held === conversation
}

/** release lets a conversation be read again. */
export function release(conversation: string): void {
  if (held === conversation) held = undefined
}

effect(() => {
  void current.value // whatever is opened, the same conversation as well
  held = undefined
})

/** markUnread marks a message and all after it as unread, on all devices. */
export async function markUnread(conversation: string, message: Message): Promise<void> {
  held = conversation
  forgetRead(conversation)
  try {
    const asked = call<{ unread: number; mentions: number; read: string }>("PUT",
      at(conversation, "messages", message.id, "unread"))
    const now = await settle(asked, (now, newer) => {
      if (!newer(`${conversation} unread`)) change(conversation, now)
    })
    part(conversation).firstUnread.value = now.read
    toast(T("Everything from this message on is unread."))
  } catch (err) {
    release(conversation)
    toast(detailOf(err), { error: true })
  }
}
