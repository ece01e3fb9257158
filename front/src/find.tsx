// Search of messages. The address has the words and filters, so that a search can be kept and sent.

import { useEffect, useRef, useState } from "preact/hooks"
import { call, detailOf, query as params } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { Chosen, colleaguesOf, conversationsOf } from "./findfilters"
import { go } from "./route"
import { Snippet } from "./snippet"
import type { Hit } from "./types"
import { dayName, Icon } from "./ui"

/** Filters are what a search asks for. */
export interface Filters {
  q: string
  in: string
  from: string
  before: string
  after: string
  has: string
}

const names = ["q", "in", "from", "before", "after", "has"] as const

function parse(text: string): Filters {
  const p = new URLSearchParams(text)
  const out = {} as Filters
  for (const name of names) out[name] = p.get(name) ?? ""
  return out
}

/** FindView is the page of a search; words is the query of the address. */
export function FindView({ words }: { words: string }) {
  const filters = parse(words)
  const [text, setText] = useState(filters.q)
  useEffect(() => setText(filters.q), [filters.q])
  const set = (part: Partial<Filters>) =>
    go({ view: "search", query: params({ ...filters, q: text.trim(), ...part }).slice(1) }, true)
  return (
    <section class="page" aria-labelledby="find">
      <header class="page-head"><h1 id="find">{T("Search messages")}</h1></header>
      <form class="find-form" role="search" onSubmit={(e) => { e.preventDefault(); set({}) }}>
        <div class="search grow">
          <Icon name="search" />
          <input type="search" aria-label={T("Words")} placeholder={T("Words")} dir="auto" value={text} ref={useFocus()}
            onInput={(e) => setText(e.currentTarget.value)} />
        </div>
        <button class="primary">{T("Search")}</button>
      </form>
      <FilterRow filters={filters} set={set} />
      <Hits key={words} filters={filters} />
    </section>
  )
}

/** useFocus puts the focus into a field when it appears, so that one can write at once. */
function useFocus() {
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => { if (!field.current?.value) field.current?.focus() }, [])
  return field
}

function FilterRow({ filters, set }: { filters: Filters; set: (part: Partial<Filters>) => void }) {
  const has = [
    ["", T("Anything")], ["file", T("A file")], ["link", T("A link")], ["mention", T("A mention of me")],
  ] as const
  return (
    <fieldset class="filters">
      <legend class="visually-hidden">{T("Filters")}</legend>
      <Chosen label={T("In")} any={T("All conversations")} value={filters.in} load={conversationsOf}
        onValue={(id) => set({ in: id })} />
      <Chosen label={T("From")} any={T("Everyone")} value={filters.from} load={colleaguesOf}
        onValue={(id) => set({ from: id })} />
      <label>{T("Has")}
        <select value={filters.has} onChange={(e) => set({ has: e.currentTarget.value })}>
          {has.map(([value, label]) => <option key={value} value={value}>{label}</option>)}
        </select>
      </label>
      <label>{T("After")}
        <input type="date" value={filters.after} onChange={(e) => set({ after: e.currentTarget.value })} />
      </label>
      <label>{T("Before")}
        <input type="date" value={filters.before} onChange={(e) => set({ before: e.currentTarget.value })} />
      </label>
    </fieldset>
  )
}

/** moment is the beginning of a day here, as the server takes it. */
function moment(day: string): string | undefined {
  const d = new Date(day + "T00:00")
  return day && !Number.isNaN(d.getTime()) ? d.toISOString() : undefined
}

function Hits({ filters }: { filters: Filters }) {
  const [hits, setHits] = useState<readonly Hit[]>([])
  const [more, setMore] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [asked, setAsked] = useState(false)
  const [problem, setProblem] = useState("")
  const [until, setUntil] = useState<string>()
  const wanted = names.some((name) => filters[name] !== "")
  const load = async (older?: string, cancel?: AbortSignal) => {
    setBusy(true)
    setProblem("")
    try {
      const path = "/find" + params({ ...filters, before: moment(filters.before), after: moment(filters.after), older })
      const found = await call<{ hits: Hit[]; more?: string; until?: string }>("GET", path, undefined, cancel)
      setHits((before) => older ? [...before, ...found.hits] : found.hits)
      setMore(found.more)
      setUntil(found.until)
      setAsked(true)
    } catch (err) {
      if (!cancel?.aborted) setProblem(detailOf(err))
    }
    if (!cancel?.aborted) setBusy(false)
  }
  useEffect(() => {
    if (!wanted) return
    const cancel = new AbortController()
    void load(undefined, cancel.signal)
    return () => cancel.abort()
  }, [])
  const words = filters.q ? filters.q.split(/[^\p{L}\p{N}\p{M}]+/u) : []
  return (
    <>
      <Failure text={problem} />
      {!wanted && <p class="muted">{T("Write a word that the messages have, or choose a filter.")}</p>}
      {asked && !hits.length && !busy && !more && (
        <div class="empty">
          <Icon name="search" />
          <h2>{T("Nothing was found.")}</h2>
          <p>{T("Try fewer words, or fewer filters.")}</p>
        </div>
      )}
      <ol class="hits" aria-label={T("Messages")} aria-busy={busy}>
        {hits.map((h) => (
          <li key={h.conversation + " " + h.message.id}>
            <Snippet conversation={h.conversation} message={h.message} where={h.where} words={words} />
          </li>
        ))}
      </ol>
      <p class="muted" role="status">{busy ? T("Searching …") : ""}</p>
      {more && !busy && until && (
        <p class="muted" role="status">{T("Messages before {{.Date}} were not searched.", { Date: dayName(until) })}</p>
      )}
      {more && !busy && (
        <button onClick={() => void load(more)}>{until ? T("Search further") : T("Older messages")}</button>
      )}
    </>
  )
}
