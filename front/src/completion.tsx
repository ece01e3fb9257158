// The menu over the field: names, emoji and commands that fit what is being written.

import { useId, useLayoutEffect, useRef, useState } from "preact/hooks"
import { useSuggestions, type Suggestion } from "./complete"
import { composing } from "./composing"
import { used } from "./emoji"
import { T } from "./i18n"
import { presence } from "./state"
import { replace } from "./textfield"
import { triggerAt, type Trigger } from "./trigger"
import type { Conversation } from "./types"
import { Avatar, Icon } from "./ui"

/** CompletionMenu is the menu of a field. */
export interface CompletionMenu {
  id: string
  list: readonly Suggestion[]
  active: number
  kind: Trigger["kind"] | undefined
  /** aria are the attributes of the field. */
  aria: Record<string, string | undefined>
  /** look finds out whether the menu is to be open, after a change in the field. */
  look: () => void
  /** onKey takes the keys of the menu while it is open. It says whether it took one; otherwise is done if, after all,
   * nothing is there to choose. */
  onKey: (e: KeyboardEvent, otherwise: () => void) => boolean
  pick: (s: Suggestion) => void
  close: () => void
}

/** useCompletion gives a field its menu. */
export function useCompletion(c: Conversation, field: { current: HTMLTextAreaElement | null }): CompletionMenu {
  const id = useId()
  const [trigger, setTrigger] = useState<Trigger>()
  const [active, setActive] = useState(0)
  const left = useRef<string | undefined>(undefined) // kind and place of the word whose menu was closed
  const late = useRef<{ key: string; otherwise: () => void } | undefined>(undefined) // chosen before the list was there
  const { list, current } = useSuggestions(c, trigger)
  const open = trigger !== undefined && list.length > 0
  const look = () => {
    const f = field.current
    if (!f) return
    const found = f.selectionStart === f.selectionEnd && document.activeElement === f
      ? triggerAt(f.value, f.selectionStart) : undefined
    if (!found || spotOf(found) !== left.current) left.current = undefined
    const next = left.current === undefined ? found : undefined
    if (next?.query !== trigger?.query || next?.kind !== trigger?.kind) {
      setActive(0)
      late.current = undefined
    }
    setTrigger(next)
  }
  const close = () => {
    left.current = trigger && spotOf(trigger)
    late.current = undefined
    setTrigger(undefined)
  }
  const pick = (s: Suggestion) => {
    const f = field.current
    if (!f || !trigger) return
    if (s.address) {
      const { names } = composing(c.id)
      names.value = { ...names.peek(), [s.text.trimEnd()]: s.address }
    }
    if (s.emoji) used(s.emoji)
    const { begin } = trigger
    // The space after a name is there already when one comes back to it.
    const end = s.text.endsWith(" ") && f.value[trigger.end] === " " ? trigger.end + 1 : trigger.end
    left.current = spotOf(trigger)
    setTrigger(undefined)
    replace(f, begin, end, s.text)
  }
  const choose = (key: string, s: Suggestion | undefined): boolean => {
    if (!s || key === "Enter" && isWhole(s, trigger!)) return false
    pick(s)
    return true
  }
  useLayoutEffect(() => {
    const waiting = late.current
    if (!waiting || !current) return
    late.current = undefined
    if (!choose(waiting.key, list[0])) waiting.otherwise()
  }, [current, list])
  const onKey = (e: KeyboardEvent, otherwise: () => void): boolean => {
    if (!open || e.ctrlKey || e.metaKey || e.altKey) return false
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      setActive((active + (e.key === "ArrowDown" ? 1 : list.length - 1)) % list.length)
    } else if ((e.key === "Tab" || e.key === "Enter") && !e.shiftKey) {
      // A fast writer means what fits the letters that are there, not what is still shown for earlier ones.
      if (!current) late.current = { key: e.key, otherwise }
      else if (!choose(e.key, list[Math.min(active, list.length - 1)])) return false
    } else if (e.key === "Escape") {
      close()
    } else return false
    e.preventDefault()
    e.stopPropagation()
    return true
  }
  const aria = open ? {
    role: "combobox",
    "aria-expanded": "true",
    "aria-autocomplete": "list",
    "aria-haspopup": "listbox",
    "aria-controls": id,
    "aria-activedescendant": `${id}-${Math.min(active, list.length - 1)}`,
  } : { "aria-autocomplete": "list" }
  return { id, list: open ? list : [], active: Math.min(active, Math.max(0, list.length - 1)),
    kind: trigger?.kind, aria, look, onKey, pick, close }
}

/** spotOf names a word in the field: its menu stays closed until the caret is elsewhere. */
function spotOf(trigger: Trigger): string {
  return `${trigger.kind} ${trigger.begin}`
}

/** isWhole says whether a command is written in full, so that Enter sends it. */
function isWhole(s: Suggestion, trigger: Trigger): boolean {
  if (trigger.kind === "status") return s.text === "/status " + trigger.query
  return s.send === true && s.text === "/" + trigger.query
}

/** Completion shows the menu while it is open. */
export function Completion({ menu }: { menu: CompletionMenu }) {
  const titles = { person: T("People"), emoji: T("Emoji"), command: T("Commands"), snippet: T("Saved replies"),
    status: T("Status") }
  const title = titles[menu.kind ?? "command"]
  return (
    <>
      <p class="visually-hidden" role="status">
        {menu.list.length > 0 && T("{{.Count}} suggestions. Use the arrow keys, and Tab to choose.",
          { Count: menu.list.length })}
      </p>
      {menu.list.length > 0 && (
        <ul id={menu.id} class="completion" role="listbox" aria-label={title}>
          {menu.list.map((s, i) => (
            <li key={s.key} id={`${menu.id}-${i}`} role="option" aria-selected={i === menu.active}
              class={i === menu.active ? "active" : ""}
              onMouseDown={(e) => { e.preventDefault(); menu.pick(s) }}>
              <Face suggestion={s} />
              <b dir="auto">{s.label}</b>
              {s.detail && <small class="grow" dir="auto">{s.detail}</small>}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function Face({ suggestion: s }: { suggestion: Suggestion }) {
  if (s.emoji) return <span class="face" aria-hidden="true">{s.emoji}</span>
  if (!s.person) return <span class="face"><Icon name={s.icon ?? "slash"} /></span>
  const { person: p } = s
  const status = p.address ? presence.value.get(p.address) : undefined
  return <Avatar id={p.id} name={p.name} photo={p.photo} size="tiny"
    status={status ?? { show: p.here ? "available" : "offline" }} />
}
