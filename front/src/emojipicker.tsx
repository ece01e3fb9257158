// The picker of emoji: a piece that is loaded when it is used.

import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import { byEmoji, emoji, find, shaded, type Emoji } from "./emojidata"
import { recent, shade, used } from "./emoji"
import { T } from "./i18n"
import { openBeside } from "./overlay"
import { Icon } from "./ui"

interface Section { title: string; list: readonly Emoji[] }

const columns = 9 // of the grid; the stylesheet has the same number
const foundAtMost = 90

function groups(): [number, string][] {
  return [
    [0, T("Smileys")], [1, T("People")], [3, T("Animals and nature")], [4, T("Food and drink")],
    [5, T("Travel and places")], [6, T("Activities")], [7, T("Objects")], [8, T("Symbols")], [9, T("Flags")],
  ]
}

function sections(words: string): Section[] {
  if (words.trim()) return [{ title: T("Found"), list: find(words, foundAtMost) }]
  const last = recent.peek().flatMap((e) => byEmoji(e) ?? [])
  const all = groups().map(([group, title]) => ({ title, list: emoji.filter((e) => e.group === group) }))
  return last.length ? [{ title: T("Used last"), list: [...new Set(last)].slice(0, 2 * columns) }, ...all] : all
}

/** EmojiPicker lets one look for an emoji. The field keeps the focus; arrows move in the grid. */
export function EmojiPicker({ at, onPick, onClose }: {
  at: Element
  onPick: (emoji: string) => void
  onClose: () => void
}) {
  const box = useRef<HTMLDivElement>(null)
  const [words, setWords] = useState("")
  const [active, setActive] = useState(0)
  const id = useId()
  const shown = useMemo(() => sections(words), [words])
  const flat = useMemo(() => shown.flatMap((s) => s.list), [shown])
  const now = flat[active]
  useLayoutEffect(() => openBeside(box.current!, at, onClose), [])
  useEffect(() => {
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: "nearest" })
  }, [active])
  const pick = (e: Emoji) => {
    const chosen = shaded(e, shade.peek())
    used(chosen)
    onClose()
    onPick(chosen)
  }
  const onKey = (e: KeyboardEvent) => {
    const next = moved(e.key, active, shown)
    if (next !== undefined) setActive(next)
    else if (e.key === "Enter" && !e.isComposing) {
      if (now) pick(now)
    } else return
    e.preventDefault()
  }
  return (
    <div ref={box} class="emoji-picker" role="dialog" aria-label={T("Emoji")} popover="manual">
      <div class="emoji-head">
        <div class="search">
          <Icon name="search" />
          <input type="search" role="combobox" list={undefined} aria-expanded="true"
            aria-haspopup="grid" aria-controls={id} aria-autocomplete="list" dir="auto"
            aria-activedescendant={now ? `${id}-${active}` : undefined}
            aria-label={T("Look for an emoji")} placeholder={T("Look for an emoji")} autocomplete="off"
            data-autofocus value={words} onKeyDown={onKey}
            onInput={(e) => { setWords(e.currentTarget.value); setActive(0) }} />
        </div>
        <Shades />
      </div>
      <Grid id={id} shown={shown} active={active} onPick={pick} onOver={setActive} />
      <p class="emoji-foot" role="status">
        {now ? <><span aria-hidden="true">{shaded(now, shade.value)}</span> {now.name}</> : T("Nothing was found.")}
      </p>
    </div>
  )
}

/** moved gives where an arrow leads from a place in the grid. Rows of sections need not be full. */
function moved(key: string, active: number, shown: readonly Section[]): number | undefined {
  const all = shown.reduce((n, s) => n + s.list.length, 0)
  if (!all) return undefined
  if (key === "ArrowRight") return (active + 1) % all
  if (key === "ArrowLeft") return (active - 1 + all) % all
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined
  const rows: number[][] = []
  let first = 0
  for (const s of shown) {
    for (let i = 0; i < s.list.length; i += columns) {
      rows.push(Array.from({ length: Math.min(columns, s.list.length - i) }, (_, j) => first + i + j))
    }
    first += s.list.length
  }
  const row = rows.findIndex((r) => r.includes(active))
  const column = active - (rows[row]?.[0] ?? 0)
  const next = rows[(row + (key === "ArrowDown" ? 1 : rows.length - 1)) % rows.length]!
  return next[Math.min(column, next.length - 1)]
}

function Grid({ id, shown, active, onPick, onOver }: {
  id: string
  shown: readonly Section[]
  active: number
  onPick: (e: Emoji) => void
  onOver: (i: number) => void
}) {
  let first = 0
  return (
    <div id={id} class="emoji-list" role="grid" aria-label={T("Emoji")}>
      {shown.map((s) => {
        const from = first
        first += s.list.length
        return (
          <div key={s.title} role="rowgroup" aria-label={s.title} class="emoji-group">
            <h3 role="presentation">{s.title}</h3>
            <div role="row" class="emoji-row">
              {s.list.map((e, i) => (
                <button key={e.emoji} id={`${id}-${from + i}`} type="button" tabIndex={-1} role="gridcell"
                  aria-label={e.name}
                  aria-selected={from + i === active} class={from + i === active ? "active" : ""}
                  onMouseDown={(ev) => ev.preventDefault()} onClick={() => onPick(e)}
                  onPointerMove={() => { if (from + i !== active) onOver(from + i) }}>
                  {shaded(e, shade.value)}
                </button>
              ))}
            </div>
          </div>
        )
      })}
    </div>
  )
}

const hand = emoji.find((e) => e.emoji.startsWith("✋") || e.emoji.startsWith("👋"))

function Shades() {
  const names = [T("Yellow"), T("Light skin"), T("Medium-light skin"), T("Medium skin"), T("Medium-dark skin"),
    T("Dark skin")]
  const next = (shade.value + 1) % names.length
  if (!hand) return null
  return (
    <button type="button" class="quiet icon-button emoji-shade"
      title={T("Skin: {{.Name}}", { Name: names[shade.value]! })}
      aria-label={T("Skin: {{.Name}}. Change it.", { Name: names[shade.value]! })}
      onClick={() => { shade.value = next }}>
      {shaded(hand, shade.value)}
    </button>
  )
}
