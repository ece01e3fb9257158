// What belongs to the message that is being written in a conversation, beside its text (drafts.ts) and its files
// (uploads.ts): what it answers, what it corrects, whom it names. The browser keeps it like the text.

import { signal, type Signal } from "@preact/signals"
import { draft } from "./drafts"
import { T } from "./i18n"
import { keptValue } from "./kept"
import { discard, type Pending } from "./state"
import { toast } from "./toast"
import type { Mention, Message } from "./types"
import { attachAgain } from "./uploads"

/** Editing is a correction that is being written. */
export interface Editing { message: Message; text: string }

/** Composing is what belongs to the message that is being written. */
export interface Composing {
  reply: Signal<Message | undefined>
  editing: Signal<Editing | undefined>
  /** names are the addresses of those who were picked from the menu of names, by what stands for them in the text. */
  names: Signal<Record<string, string>>
  /** focused counts how often the field was asked to take the focus. */
  focused: Signal<number>
}

/** enterSends is whether Enter sends; otherwise it begins a line, and Ctrl+Enter sends. */
export const enterSends = keptValue("enter-sends", true)

/** preview is whether one sees the styling while one writes. */
export const preview = keptValue("preview", false)

const all = new Map<string, Composing>()

/** composing gives what belongs to the message that is being written in a conversation. */
export function composing(conversation: string): Composing {
  let c = all.get(conversation)
  if (!c) {
    c = {
      reply: keptValue<Message | undefined>("reply/" + conversation, undefined),
      editing: keptValue<Editing | undefined>("edit/" + conversation, undefined),
      names: keptValue<Record<string, string>>("names/" + conversation, {}),
      focused: signal(0),
    }
    all.set(conversation, c)
  }
  return c
}

/** focusComposer puts the focus into the field of a conversation. */
export function focusComposer(conversation: string): void {
  composing(conversation).focused.value++
}

/** startReply begins an answer to a message. What was written stays. */
export function startReply(conversation: string, message: Message): void {
  const c = composing(conversation)
  leaveEdit(conversation)
  c.reply.value = message
  focusComposer(conversation)
}

/** Corrections that were left, by message: who comes back finds them. */
const aside = new Map<string, string>()

/** startEdit begins a correction of a message. The draft of another message stays, and is there again afterwards. */
export function startEdit(conversation: string, message: Message): void {
  const c = composing(conversation)
  if (c.editing.peek()?.message.id !== message.id) {
    leaveEdit(conversation)
    addNames(c, message.text, message.mentions)
    c.editing.value = { message, text: aside.get(message.id) ?? sourceOf(message) }
  }
  focusComposer(conversation)
}

/** sourceOf gives the text of a message as one would write it. */
export function sourceOf(message: Message): string {
  return message.kind === "me" ? "/me " + message.text : message.text
}

/** leaveEdit ends a correction without sending it. A changed text can be had back. */
export function leaveEdit(conversation: string): void {
  const c = composing(conversation)
  const left = c.editing.peek()
  if (!left) return
  c.editing.value = undefined
  if (left.text === sourceOf(left.message) || left.text.trim() === "") {
    aside.delete(left.message.id)
    return
  }
  aside.set(left.message.id, left.text)
  toast(T("Your changes were not sent."), { act: { label: T("Go on editing"), do: () => {
    c.editing.value = left
    focusComposer(conversation)
  } } })
}

/** edited forgets what was written for a correction that the server has. */
export function edited(conversation: string, message: Message): void {
  aside.delete(message.id)
  const c = composing(conversation)
  if (c.editing.peek()?.message.id === message.id) c.editing.value = undefined
}

/** putBack puts a message that was not sent back into the field, before what is there. */
export function putBack(p: Pending): void {
  const text = draft(p.conversation)
  const c = composing(p.conversation)
  text.value = [p.text, text.peek()].filter(Boolean).join("\n")
  addNames(c, p.text, p.mentions)
  if (p.reply) c.reply.value ??= p.reply
  attachAgain(p.conversation, p.files)
  discard(p.origin)
  focusComposer(p.conversation)
}

function addNames(c: Composing, text: string, mentions: readonly Mention[] | undefined): void {
  const names = { ...c.names.peek() }
  const points = Array.from(text)
  for (const m of mentions ?? []) {
    if (m.address) names[points.slice(m.begin, m.end).join("")] = m.address
  }
  c.names.value = names
}
