// A message that a dialog is about.

import { summaryOf } from "./summary"
import type { Message } from "./types"

/** Quoted shows the message in short. */
export function Quoted({ message: m }: { message: Message }) {
  const text = summaryOf(m)
  return (
    <blockquote class="quoted" dir="auto">
      {m.by && <b>{m.by.name}</b>} {text.length > 300 ? text.slice(0, 300) + "…" : text}
    </blockquote>
  )
}
