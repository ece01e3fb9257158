// What was written and not sent yet, by conversation. It is kept at every letter, and shown by all tabs.

import { computed, signal, type ReadonlySignal, type Signal } from "@preact/signals"
import { names, read, watch, write } from "./kept"

const start = "draft/"
const signals = new Map<string, Signal<string>>()
const written = signal<ReadonlySet<string>>(new Set(names(start).map((name) => name.slice(start.length))))

/** drafted are the conversations with a draft. */
export const drafted: ReadonlySignal<ReadonlySet<string>> = computed(() => written.value)

/** draft is the text that is being written in a conversation. */
export function draft(conversation: string): Signal<string> {
  let text = signals.get(conversation)
  if (!text) {
    text = signal(read(start + conversation) ?? "")
    text.subscribe((value) => keep(conversation, value))
    signals.set(conversation, text)
  }
  return text
}

function keep(conversation: string, text: string): void {
  const kept = read(start + conversation) ?? ""
  if (kept !== text) {
    write(start + conversation, text || undefined)
    typed(conversation)
  }
  note(conversation, text.trim() !== "")
}

let typed: (conversation: string) => void = () => undefined

/** onTyped has told called when a draft is changed in this tab. */
export function onTyped(told: (conversation: string) => void): void {
  typed = told
}

function note(conversation: string, has: boolean): void {
  if (written.peek().has(conversation) === has) return
  const next = new Set(written.peek())
  if (has) next.add(conversation)
  else next.delete(conversation)
  written.value = next
}

watch(start, (name, text) => {
  const conversation = name.slice(start.length)
  const known = signals.get(conversation)
  if (known) known.value = text ?? ""
  note(conversation, (text ?? "").trim() !== "")
})
