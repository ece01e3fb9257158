// Filters of a search that are chosen from a list: a conversation, a colleague.

import { useState } from "preact/hooks"
import { T } from "./i18n"
import { colleagues, conversationChoice, conversationsLike, whereText } from "./people"
import type { Found, Load } from "./picker"
import { conversations } from "./store"
import { Dialog, Icon, Picker } from "./ui"

/** Chosen shows what a filter is set to, and opens a picker to change it. */
export function Chosen({ label, any, value, name: given, clear, load, onValue }: {
  label: string
  any: string
  value: string
  /** name is that of the value, where it is known. */
  name?: string
  /** clear is what the button says that sets it back. */
  clear?: string
  load: Load
  onValue: (id: string) => void
}) {
  const [open, setOpen] = useState(false)
  const [picked, setPicked] = useState<{ id: string; name: string }>()
  const known = conversations.value.get(value)
  const name = !value ? any : picked?.id === value ? picked.name : given ?? (known ? whereText(known) : value)
  return (
    <div class="chosen">
      <span class="label" aria-hidden="true">{label}</span>
      <span class="with-clear">
        <button type="button" aria-haspopup="dialog" aria-label={`${label}: ${name}`} onClick={() => setOpen(true)}>
          <span dir="auto">{name}</span>
          <Icon name="chevron-down" />
        </button>
        {value && (
          <button type="button" class="quiet icon-button"
            aria-label={clear ?? T("Remove the filter {{.Name}}", { Name: label })}
            onClick={() => onValue("")}><Icon name="x" /></button>
        )}
      </span>
      {open && (
        <Dialog title={label} onClose={() => setOpen(false)}>
          <Picker label={label} load={load} onPick={(c) => {
            setPicked(c)
            setOpen(false)
            onValue(c.id)
          }} />
        </Dialog>
      )}
    </div>
  )
}

/** conversationsOf finds conversations for a filter. */
export function conversationsOf(words: string): Promise<Found> {
  return Promise.resolve({ choices: conversationsLike(words, 30).map(conversationChoice) })
}

/** colleaguesOf finds colleagues for a filter, oneself too. */
export function colleaguesOf(words: string, cancel: AbortSignal): Promise<Found> {
  return colleagues(words, cancel)
}
