// Fields of forms in dialogs.

import { useId } from "preact/hooks"
import { Icon } from "./icon"
import { T } from "./i18n"

/** Text is a field of one line, or of several with rows. */
export function Text({ label, value, onInput, hint, max, rows, first, optional, wrong }: {
  label: string
  value: string
  onInput: (value: string) => void
  hint?: string
  max?: number
  rows?: number
  first?: boolean
  optional?: boolean
  wrong?: string | undefined
}) {
  const id = useId()
  const shared = {
    id,
    value,
    dir: "auto" as const,
    maxLength: max,
    autocomplete: "off",
    "aria-invalid": wrong ? true : undefined,
    "aria-describedby": hint || wrong ? id + "-hint" : undefined,
    "data-autofocus": first ? "" : undefined,
    onInput: (e: { currentTarget: { value: string } }) => onInput(e.currentTarget.value),
  }
  return (
    <div class="field">
      <label for={id}>{label}{optional && <span class="optional"> {T("(optional)")}</span>}</label>
      {rows ? <textarea {...shared} rows={rows} /> : <input type="text" {...shared} />}
      {wrong ? <p class="error" id={id + "-hint"}>{wrong}</p> : hint && <p class="hint" id={id + "-hint"}>{hint}</p>}
    </div>
  )
}

/** Failure says why something did not work; nothing if text is empty. */
export function Failure({ text }: { text: string | undefined }) {
  if (!text) return null
  return (
    <div class="alert error" role="alert">
      <Icon name="circle-alert" />
      <div dir="auto">{text}</div>
    </div>
  )
}
