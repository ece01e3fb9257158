// What is around the field in which one writes: what it answers or corrects, files, and buttons.

import type { Signal } from "@preact/signals"
import { useRef } from "preact/hooks"
import { composing, enterSends, leaveEdit, preview } from "./composing"
import { pickEmoji } from "./emoji"
import { iconOf } from "./files"
import { T } from "./i18n"
import { laterItems } from "./later"
import { sizeOf } from "./size"
import { summaryOf } from "./summary"
import { insertInto, wrap } from "./textfield"
import type { Conversation } from "./types"
import { Icon, Menu } from "./ui"
import { again, attach, attachments, detach, type Attachment } from "./uploads"

/** ComposerBar says what the message answers, or which one it corrects. */
export function ComposerBar({ conversation: c }: { conversation: Conversation }) {
  const { editing, reply } = composing(c.id)
  if (editing.value) {
    return (
      <div class="composer-bar">
        <Icon name="pencil" />
        <span class="grow">{T("You are editing a message. Escape leaves it as it was.")}</span>
        <Cross label={T("Stop editing")} onClick={() => leaveEdit(c.id)} />
      </div>
    )
  }
  const m = reply.value
  if (!m) return null
  return (
    <div class="composer-bar">
      <Icon name="reply" />
      <span class="grow" dir="auto">
        <b>{T("Reply to {{.Name}}", { Name: m.by?.name ?? "" })}</b> <span class="muted">{summaryOf(m).slice(0, 200)}</span>
      </span>
      <Cross label={T("Do not reply")} onClick={() => { reply.value = undefined }} />
    </div>
  )
}

function Cross({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <button type="button" class="quiet icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name="x" />
    </button>
  )
}

/** Tray shows the files that go with the message. */
export function Tray({ conversation, waiting }: { conversation: string; waiting: Signal<boolean> }) {
  const list = attachments(conversation).value
  if (!list.length) return null
  return (
    <>
      <ul class="tray" aria-label={T("Files")}>
        {list.map((a) => <li key={a.id}><OneAttachment conversation={conversation} a={a} /></li>)}
      </ul>
      {waiting.value && (
        <p class="composer-note" role="status">
          {T("The message goes when its files are sent.")}{" "}
          <button type="button" class="link" onClick={() => { waiting.value = false }}>{T("Wait with it")}</button>
        </p>
      )}
    </>
  )
}

function OneAttachment({ conversation, a }: { conversation: string; a: Attachment }) {
  return (
    <div class={"attachment " + a.state}>
      {a.preview ? <img src={a.preview} alt="" /> : <Icon name={iconOf(a.type)} />}
      <span class="grow">
        <b dir="auto">{a.name}</b>
        {a.state === "failed" ? <small class="error" role="alert">{a.error}</small> : <small>{sizeOf(a.size)}</small>}
        {(a.state === "sending" || a.state === "waiting") && (
          <progress max={1} value={a.share.value} aria-label={T("{{.Name}} is being sent", { Name: a.name })} />
        )}
      </span>
      {a.state === "failed" && (
        <button type="button" class="small-button" onClick={() => again(conversation, a.id)}>{T("Retry")}</button>
      )}
      <Cross label={T("Remove {{.Name}}", { Name: a.name })} onClick={() => detach(conversation, a.id)} />
    </div>
  )
}

/** Tools are the buttons below the field. */
export function Tools({ conversation: c, field, editing }: {
  conversation: Conversation
  field: { current: HTMLTextAreaElement | null }
  editing: boolean
}) {
  const chooser = useRef<HTMLInputElement>(null)
  const style = (mark: string) => () => { if (field.current) wrap(field.current, mark) }
  const insert = (text: string) => { if (field.current) insertInto(field.current, text) }
  return (
    <div class="composer-tools" role="toolbar" aria-label={T("Tools for writing")}>
      <Button icon="bold" label={T("Bold")} onClick={style("*")} />
      <Button icon="italic" label={T("Italic")} onClick={style("_")} />
      <Button icon="strikethrough" label={T("Struck out")} seldom onClick={style("~")} />
      <Button icon="code" label={T("Code")} onClick={style("`")} />
      <span class="gap" />
      <Button icon="at-sign" label={T("Mention somebody")} onClick={() => insert("@")} />
      <Button icon="smile" label={T("Emoji")} popup onClick={(at) => void pickEmoji(at, insert)} />
      {!editing && (
        <>
          <Button icon="paperclip" label={T("Add files")} onClick={() => chooser.current?.click()} />
          <input ref={chooser} type="file" multiple hidden aria-label={T("Add files")} onChange={(e) => {
            attach(c.id, e.currentTarget.files ?? [])
            e.currentTarget.value = ""
            field.current?.focus()
          }} />
        </>
      )}
      <span class="grow" />
      <button type="button" class="tool seldom" aria-pressed={preview.value} aria-label={T("Preview")}
        title={T("Preview")} onMouseDown={(e) => e.preventDefault()} onClick={() => { preview.value = !preview.value }}>
        <Icon name="eye" />
      </button>
      <Menu label={T("Sending")} icon="chevron-down" class="tool" items={() => [
        { label: T("Enter sends"), detail: T("Shift+Enter begins a line"), checked: enterSends.value,
          do: () => { enterSends.value = true } },
        { label: T("Enter begins a line"), detail: T("Ctrl+Enter sends"), checked: !enterSends.value,
          do: () => { enterSends.value = false } },
        ...(editing ? [] : laterItems(c)),
      ]} />
    </div>
  )
}

function Button({ icon, label, popup, seldom, onClick }: {
  icon: string
  label: string
  popup?: boolean
  /** seldom takes it away where there is little room. */
  seldom?: boolean
  onClick: (at: Element) => void
}) {
  // The field keeps the focus and its selection.
  return (
    <button type="button" class={seldom ? "tool seldom" : "tool"} aria-label={label} title={label}
      aria-haspopup={popup ? "dialog" : undefined}
      onMouseDown={(e) => e.preventDefault()} onClick={(e) => onClick(e.currentTarget)}>
      <Icon name={icon} />
    </button>
  )
}
