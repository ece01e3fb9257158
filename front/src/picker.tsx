// A list that one searches: people, conversations.

import { useEffect, useId, useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Avatar } from "./avatar"
import { Icon } from "./icon"
import { T } from "./i18n"
import type { Status } from "./types"

/** Choice is a line of a picker. */
export interface Choice {
  id: string
  name: string
  detail?: string | undefined
  photo?: string | undefined
  status?: Status | undefined
  /** icon stands in place of a picture. */
  icon?: string
  /** section is a heading; choices of one section stand together. */
  section?: string
}

/** Found is what a search gives. more says that there are more than are listed. */
export interface Found { choices: readonly Choice[]; more?: boolean }

/** Load finds choices. It may give some early, before it has asked the server. */
export type Load = (words: string, cancel: AbortSignal, early: (found: Found) => void) => Promise<Found>

/**
 * Picker is a field with a list of what load finds for the words in it. With chosen it is for many: lines are ticked
 * and shown above the field. Otherwise onPick is called for the one. Arrows and Enter choose.
 */
export function Picker({ label, load, chosen, onChosen, onPick, placeholder, empty }: {
  label: string
  load: Load
  chosen?: readonly Choice[]
  onChosen?: (chosen: readonly Choice[]) => void
  onPick?: (choice: Choice, newTab: boolean) => void
  placeholder?: string
  empty?: string
}) {
  const [words, setWords] = useState("")
  const { found, problem } = useFound(words, load)
  const [active, setActive] = useState(0)
  const id = useId()
  useEffect(() => setActive(0), [found])
  const has = (c: Choice) => chosen?.some((other) => other.id === c.id) ?? false
  const pick = (c: Choice, newTab = false) => {
    if (!chosen) return onPick?.(c, newTab)
    onChosen?.(has(c) ? chosen.filter((other) => other.id !== c.id) : [...chosen, c])
  }
  const list = found?.choices ?? []
  const onKey = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const step = e.key === "ArrowDown" ? 1 : list.length - 1
      setActive(list.length ? (active + step) % list.length : 0)
    } else if (e.key === "Enter" && !e.isComposing) {
      const c = list[active]
      if (c) pick(c, e.ctrlKey || e.metaKey)
      if (c && chosen) setWords("") // for the next name
    } else if (e.key === "Backspace" && !words && chosen?.length) {
      onChosen?.(chosen.slice(0, -1))
    } else return
    e.preventDefault()
  }
  return (
    <div class="picker">
      {chosen && <Chips chosen={chosen} onRemove={pick} />}
      <div class="search">
        <Icon name="search" />
        <input type="search" role="combobox" list={undefined} aria-expanded="true" aria-autocomplete="list"
          aria-controls={id} aria-label={label} aria-activedescendant={list[active] ? `${id}-${active}` : undefined}
          autocomplete="off" spellcheck={false} data-autofocus dir="auto" value={words}
          placeholder={placeholder ?? label} onInput={(e) => setWords(e.currentTarget.value)} onKeyDown={onKey} />
      </div>
      {chosen && list.length > 1 && <SelectAll list={list} chosen={chosen} onChosen={onChosen} />}
      <Lines id={id} label={label} list={list} active={active} ticked={chosen ? has : undefined} onPick={pick} />
      <p class="muted small" role="status">
        {problem ?? (found && (list.length === 0 ? empty ?? T("Nothing was found.")
          : found.more ? T("There are more: write more letters.") : ""))}
      </p>
    </div>
  )
}

/** useFound looks for words a moment after the last letter. Older answers that come late are dropped. */
function useFound(words: string, load: Load) {
  const [found, setFound] = useState<Found>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const cancel = new AbortController()
    const show = (f: Found) => {
      if (cancel.signal.aborted) return
      setFound(f)
      setProblem(undefined)
    }
    const look = () => load(words.trim(), cancel.signal, show).then(show, (err) => {
      if (!cancel.signal.aborted) setProblem(detailOf(err))
    })
    const timer = setTimeout(look, words ? 120 : 0)
    return () => {
      clearTimeout(timer)
      cancel.abort()
    }
  }, [words])
  return { found, problem }
}

function Lines({ id, label, list, active, ticked, onPick }: {
  id: string
  label: string
  list: readonly Choice[]
  active: number
  ticked: ((c: Choice) => boolean) | undefined
  onPick: (c: Choice, newTab?: boolean) => void
}) {
  const box = useRef<HTMLUListElement>(null)
  useEffect(() => {
    box.current?.querySelector(".active")?.scrollIntoView({ block: "nearest" })
  }, [active, list])
  return (
    <ul ref={box} id={id} role="listbox" aria-label={label} aria-multiselectable={ticked !== undefined}
      class="picker-list">
      {list.flatMap((c, i) => {
        const line = (
          <Line key={c.id} id={`${id}-${i}`} choice={c} active={i === active} ticked={ticked?.(c)}
            onPick={(newTab) => onPick(c, newTab)} />
        )
        if (!c.section || c.section === list[i - 1]?.section) return [line]
        return [<li key={"section " + c.section} role="presentation" class="section">{c.section}</li>, line]
      })}
    </ul>
  )
}

function Line({ id, choice: c, active, ticked, onPick }: {
  id: string
  choice: Choice
  active: boolean
  ticked: boolean | undefined
  onPick: (newTab: boolean) => void
}) {
  return (
    <li id={id} role="option" class={active ? "active" : ""} aria-selected={ticked ?? active}
      onMouseDown={(e) => e.preventDefault()} onClick={(e) => onPick(e.ctrlKey || e.metaKey)}>
      {ticked !== undefined && <span class={ticked ? "tick on" : "tick"}>{ticked && <Icon name="check" />}</span>}
      {c.icon ? <Icon name={c.icon} />
        : <Avatar id={c.id} name={c.name} photo={c.photo} status={c.status} size="tiny" />}
      <span class="grow">
        <b dir="auto">{c.name}</b>
        {c.detail && <small dir="auto">{c.detail}</small>}
      </span>
    </li>
  )
}

function Chips({ chosen, onRemove }: { chosen: readonly Choice[]; onRemove: (c: Choice) => void }) {
  if (!chosen.length) return null
  return (
    <ul class="picked" aria-label={T("Chosen")}>
      {chosen.map((c) => (
        <li key={c.id}>
          <span dir="auto">{c.name}</span>
          <button type="button" aria-label={T("Remove {{.Name}}", { Name: c.name })} onClick={() => onRemove(c)}>
            <Icon name="x" />
          </button>
        </li>
      ))}
    </ul>
  )
}

function SelectAll({ list, chosen, onChosen }: {
  list: readonly Choice[]
  chosen: readonly Choice[]
  onChosen: ((chosen: readonly Choice[]) => void) | undefined
}) {
  const missing = list.filter((c) => !chosen.some((other) => other.id === c.id))
  const change = () => onChosen?.(missing.length ? [...chosen, ...missing]
    : chosen.filter((c) => !list.some((other) => other.id === c.id)))
  return (
    <button type="button" class="link small" onClick={change}>
      {missing.length ? T("Select all that are listed") : T("Select none of them")}
    </button>
  )
}
