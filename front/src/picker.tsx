// A list that one searches: people, conversations.

import { useEffect, useId, useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Avatar } from "./avatar"
import { Failure } from "./fields"
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

/**
 * Found is what a search gives. more says that there are more than are listed: next gives those that follow, and all
 * gives every one, where the search can.
 */
export interface Found {
  choices: readonly Choice[]
  more?: boolean
  total?: number
  next?: () => Promise<Found>
  all?: () => Promise<readonly Choice[]>
}

/** Load finds choices. It may give some early, before it has asked the server. */
export type Load = (words: string, cancel: AbortSignal, early: (found: Found) => void) => Promise<Found>

/**
 * Picker is a field with a list of what load finds for the words in it. With chosen it is for many: lines are ticked
 * and shown above the field. Otherwise onPick is called for the one. Arrows and Enter choose. among names what load
 * searches, where that changes.
 */
export function Picker({ label, load, chosen, all, onChosen, onPick, placeholder, empty, among }: {
  label: string
  load: Load
  /** all is false where one is to be chosen: nothing selects many at once. */
  all?: boolean
  chosen?: readonly Choice[]
  onChosen?: (chosen: readonly Choice[]) => void
  onPick?: (choice: Choice, newTab: boolean) => void
  placeholder?: string
  empty?: string
  among?: string
}) {
  const [words, setWords] = useState("")
  const { found, current, problem, next } = useFound(words, load, among)
  const late = useRef<{ newTab: boolean } | undefined>(undefined) // Enter was pressed before the answer came
  const [active, setActive] = useState(0)
  const id = useId()
  useEffect(() => setActive(0), [words, among])
  const write = (text: string) => {
    late.current = undefined
    setWords(text)
  }
  const has = (c: Choice) => chosen?.some((other) => other.id === c.id) ?? false
  const pick = (c: Choice, newTab = false) => {
    if (!chosen) return onPick?.(c, newTab)
    onChosen?.(has(c) ? chosen.filter((other) => other.id !== c.id) : [...chosen, c])
  }
  const list = found?.choices ?? []
  const enter = (newTab: boolean) => {
    const c = list[active]
    if (c) pick(c, newTab)
    if (c && chosen) setWords("") // for the next name
  }
  useEffect(() => {
    const waiting = late.current
    if (!waiting || !current) return
    late.current = undefined
    enter(waiting.newTab)
  }, [current, found])
  const onKey = (e: KeyboardEvent) => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      const step = e.key === "ArrowDown" ? 1 : list.length - 1
      setActive(list.length ? (active + step) % list.length : 0)
    } else if (e.key === "Enter" && !e.isComposing) {
      // What is still shown for earlier letters is not what is meant.
      if (current) enter(e.ctrlKey || e.metaKey)
      else late.current = { newTab: e.ctrlKey || e.metaKey }
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
          placeholder={placeholder ?? label} onInput={(e) => write(e.currentTarget.value)} onKeyDown={onKey} />
      </div>
      {chosen && all !== false && found && list.length > 1 && (
        <SelectAll found={found} chosen={chosen} onChosen={onChosen} />
      )}
      <Lines id={id} label={label} list={list} active={active} ticked={chosen ? has : undefined} onPick={pick} />
      <p class="muted small" role="status">
        {problem ?? (found && (list.length === 0 ? empty ?? T("Nothing was found.")
          : found.more && !found.next ? T("There are more: write more letters.") : ""))}
      </p>
      {found?.next && <button type="button" class="link small" onClick={next}>{T("Show more")}</button>}
    </div>
  )
}

/**
 * useFound looks for words a moment after the last letter. Older answers that come late are dropped. current says whether
 * what was found is the whole answer to these words.
 */
function useFound(words: string, load: Load, among?: string) {
  const [found, setFound] = useState<Found>()
  const [problem, setProblem] = useState<string>()
  const [answered, setAnswered] = useState<string>()
  const wanted = `${among ?? ""} ${words}`
  useEffect(() => {
    const cancel = new AbortController()
    const show = (f: Found) => {
      if (cancel.signal.aborted) return
      setFound(f)
      setProblem(undefined)
    }
    const look = () => load(words.trim(), cancel.signal, show).then((f) => {
      show(f)
      if (!cancel.signal.aborted) setAnswered(wanted)
    }, (err) => {
      if (!cancel.signal.aborted) setProblem(detailOf(err))
    })
    const timer = setTimeout(look, words ? 120 : 0)
    return () => {
      clearTimeout(timer)
      cancel.abort()
    }
  }, [words, among])
  const next = () => {
    const before = found
    before?.next?.().then((more) => setFound((now) =>
      now === before ? { ...more, choices: [...before.choices, ...more.choices] } : now),
    (err) => setProblem(detailOf(err)))
  }
  return { found, current: answered === wanted, problem, next }
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

function SelectAll({ found, chosen, onChosen }: {
  found: Found
  chosen: readonly Choice[]
  onChosen: ((chosen: readonly Choice[]) => void) | undefined
}) {
  const [problem, setProblem] = useState("")
  const { choices: list, all, total } = found
  const without = (some: readonly Choice[]) => some.filter((c) => !chosen.some((other) => other.id === c.id))
  const missing = without(list).length > 0 || all !== undefined && chosen.length < (total ?? 0)
  const change = async () => {
    try {
      const those = all ? await all() : list
      onChosen?.(missing ? [...chosen, ...without(those)]
        : chosen.filter((c) => !those.some((other) => other.id === c.id)))
      setProblem("")
    } catch (err) {
      setProblem(detailOf(err))
    }
  }
  return (
    <>
      <button type="button" class="link small" onClick={() => void change()}>
        {!missing ? T("Select none of them") : all ? `${T("Select all")} (${total})`
          : T("Select all that are listed")}
      </button>
      <Failure text={problem} />
    </>
  )
}
