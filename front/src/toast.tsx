// Short notes at the edge of the window.

import { signal } from "@preact/signals"
import { Icon } from "./icon"
import { T } from "./i18n"

interface Note {
  id: number
  text: string
  error: boolean
  act?: { label: string; do: () => void } | undefined
}

const notes = signal<readonly Note[]>([])
let last = 0

/**
 * toast tells something that has happened. An error stays until it is closed; other notes go after six seconds, or when
 * the function that it gives is called.
 */
export function toast(text: string, opts: { error?: boolean; act?: Note["act"] } = {}): () => void {
  const id = ++last
  const others = notes.peek().filter((n) => n.text !== text)
  notes.value = [...others.slice(-3), { id, text, error: opts.error ?? false, act: opts.act }]
  if (!opts.error) setTimeout(() => dismiss(id), 6000)
  return () => dismiss(id)
}

function dismiss(id: number): void {
  notes.value = notes.peek().filter((n) => n.id !== id)
}

/** Toasts shows the notes. The page has one. */
export function Toasts() {
  return (
    <div id="toasts" role="status" aria-live="polite">
      {notes.value.map((note) => (
        <div key={note.id} class={note.error ? "toast error" : "toast"}>
          <Icon name={note.error ? "circle-alert" : "circle-check"} />
          <div class="grow" dir="auto">{note.text}</div>
          {note.act && (
            <button class="undo" onClick={() => { note.act?.do(); dismiss(note.id) }}>{note.act.label}</button>
          )}
          <button aria-label={T("Close")} onClick={() => dismiss(note.id)}><Icon name="x" /></button>
        </div>
      ))}
    </div>
  )
}
