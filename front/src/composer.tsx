// The field in which one writes, with what is around it.

import { useSignal } from "@preact/signals"
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Body } from "./body"
import { run } from "./commands"
import { Completion, useCompletion } from "./completion"
import { ComposerBar, Tools, Tray } from "./composerparts"
import { composing, edited, enterSends, leaveEdit, preview, sourceOf, startEdit } from "./composing"
import { draft } from "./drafts"
import { T } from "./i18n"
import { WrittenPreview } from "./linkpreview"
import { linkOf, refusedIn } from "./links"
import { mayEdit } from "./may"
import { mentionsIn, named } from "./mentions"
import { edit, history, send, typing } from "./state"
import { grow, insertInto, wrap } from "./textfield"
import type { Conversation } from "./types"
import { Icon, toast } from "./ui"
import { attach, attachments, takeFiles } from "./uploads"

const coarse = matchMedia("(pointer: coarse) and (hover: none)")
const pause = 5000 // ms without a letter after which one is not writing any more

/** Composer is the field of a conversation. Where one may not write it says why. */
export function Composer({ conversation: c }: { conversation: Conversation }) {
  const why = whyNot(c)
  if (why) {
    return <div class="composer closed" role="note"><p dir="auto"><Icon name="lock" />{why}</p></div>
  }
  return <Field key={c.id} conversation={c} />
}

function whyNot(c: Conversation): string | undefined {
  if (c.write) return undefined
  if (c.archived) return T("This theme is archived. You can read it but not write in it.")
  if (c.closed) return T("This theme is closed. You can read it but not write in it.")
  return T("You can read here but not write.")
}

function Field({ conversation: c }: { conversation: Conversation }) {
  const field = useRef<HTMLTextAreaElement>(null)
  const { editing, names, focused } = composing(c.id)
  const files = attachments(c.id)
  const waiting = useSignal(false)
  const [busy, setBusy] = useState(false)
  const own = draft(c.id)
  const text = editing.value ? editing.value.text : own.value
  const setText = (value: string) => {
    if (editing.peek()) editing.value = { ...editing.peek()!, text: value }
    else own.value = value
  }
  const menu = useCompletion(c, field)
  useLayoutEffect(() => {
    if (field.current) grow(field.current)
  }, [text, preview.value])
  useFocus(field, focused.value, editing.value?.message.id)
  const stopTyping = useTyping(c.id)

  const submit = async () => {
    if (busy) return
    const said = text.trim()
    const correction = editing.peek()
    if (correction ? !said : !said && !files.peek().length) return
    setBusy(true)
    try {
      if (correction) {
        await sendEdit(c, said)
      } else if (files.peek().some((a) => a.state === "waiting" || a.state === "sending")) {
        waiting.value = true // the effect below comes back here
      } else if (!files.peek().some((a) => a.state === "failed") && await sendNew(c, said)) {
        waiting.value = false
      }
      stopTyping()
    } catch (err) {
      toast(detailOf(err), { error: true })
    } finally {
      setBusy(false)
      field.current?.focus()
    }
  }
  useEffect(() => {
    if (!waiting.value) return
    if (files.value.some((a) => a.state === "failed") || !files.value.length && !text.trim()) waiting.value = false
    else if (files.value.every((a) => a.state === "ready")) void submit()
  }, [waiting.value, files.value])

  const onKey = (e: KeyboardEvent) => {
    const otherwise = () => {
      if (e.key !== "Enter") return
      if (sendsOnEnter()) void submit()
      else if (field.current) insertInto(field.current, "\n")
    }
    if (e.isComposing || e.keyCode === 229 || menu.onKey(e, otherwise)) return
    onFieldKey(e, c, text, () => void submit())
  }
  const onInput = (value: string) => {
    setText(value)
    menu.look()
    typing(c.id, isTold(value))
  }
  const nothing = editing.value ? !text.trim() : !text.trim() && !files.value.length
  return (
    <form class={editing.value ? "composer editing" : "composer"}
      onSubmit={(e) => { e.preventDefault(); void submit() }}>
      <ComposerBar conversation={c} />
      {!editing.value && <Tray conversation={c.id} waiting={waiting} />}
      {!editing.value && <WrittenPreview conversation={c.id} text={text} />}
      <Completion menu={menu} />
      <div class="field-frame">
        <textarea ref={field} rows={1} dir="auto" value={text} aria-label={labelOf(c)} placeholder={labelOf(c)}
          enterkeyhint={sendsOnEnter() ? "send" : "enter"} maxLength={50_000} {...menu.aria}
          onInput={(e) => onInput(e.currentTarget.value)} onKeyDown={onKey} onSelect={menu.look}
          onBlur={() => { stopTyping(); menu.close() }} onPaste={(e) => onPaste(e, c, editing.peek() !== undefined)} />
        <button type="submit" class="send" aria-disabled={nothing || busy}
          aria-label={editing.value ? T("Save") : T("Send")} title={editing.value ? T("Save") : T("Send")}>
          <Icon name={editing.value ? "check" : "send-horizontal"} />
        </button>
      </div>
      {preview.value && text.trim() && (
        <div class="preview" aria-label={T("Preview")} role="region">
          <Body text={text} mentions={mentionsIn(text, names.value)} />
        </div>
      )}
      <Tools conversation={c} field={field} editing={editing.value !== undefined} />
    </form>
  )
}

function labelOf(c: Conversation): string {
  return T("Write to {{.Name}}", { Name: c.name })
}

function sendsOnEnter(): boolean {
  return enterSends.value && !coarse.matches
}

/** isTold says whether the others are told that one writes: not of commands. */
function isTold(text: string): boolean {
  return text.trim() !== "" && !/^[/!]/.test(text)
}

async function sendEdit(c: Conversation, said: string): Promise<void> {
  const { editing, names } = composing(c.id)
  const { message } = editing.peek()!
  if (said !== sourceOf(message).trim()) {
    await edit(c.id, message, said, mentionsIn(said, names.peek()))
  }
  edited(c.id, message)
  names.value = named(draft(c.id).peek(), names.peek())
}

/** sendNew sends what is in the field, or does what it commands. The field is empty only after that is safe. */
async function sendNew(c: Conversation, said: string): Promise<boolean> {
  const { reply, names } = composing(c.id)
  const own = draft(c.id)
  const before = own.peek()
  const answered = reply.peek()
  if (!attachments(c.id).peek().length && await run(c, said, answered) === "done") {
    // Something was written meanwhile: it stays.
    if (own.peek() === before) own.value = ""
    reply.value = undefined
    return true
  }
  const mentions = mentionsIn(said, names.peek())
  const linked = linkOf(c.id, said)
  send(c.id, said, {
    ...(answered ? { reply: answered } : {}), files: takeFiles(c.id), mentions, ...(linked ? { preview: linked } : {}),
  })
  own.value = ""
  refusedIn(c.id).value = ""
  reply.value = undefined
  names.value = {}
  return true
}

/** onFieldKey does what keys mean in the field. */
function onFieldKey(e: KeyboardEvent, c: Conversation, text: string, submit: () => void): void {
  const field = e.currentTarget as HTMLTextAreaElement
  const { editing, reply } = composing(c.id)
  const control = e.ctrlKey || e.metaKey
  if (e.key === "Enter" && (control || sendsOnEnter() && !e.shiftKey && !e.altKey)) {
    e.preventDefault()
    submit()
  } else if (control && !e.shiftKey && !e.altKey && "bi".includes(e.key.toLowerCase())) {
    e.preventDefault()
    wrap(field, e.key.toLowerCase() === "b" ? "*" : "_")
  } else if (e.key === "Escape" && editing.peek()) {
    e.preventDefault()
    leaveEdit(c.id)
  } else if (e.key === "Escape" && reply.peek()) {
    e.preventDefault()
    reply.value = undefined
  } else if (e.key === "ArrowUp" && !text && !editing.peek() && !e.shiftKey && !control && !e.altKey) {
    const last = history(c.id).messages.peek().findLast((m) => mayEdit(c, m))
    if (!last) return
    e.preventDefault()
    startEdit(c.id, last)
  }
}

function onPaste(e: ClipboardEvent, c: Conversation, correcting: boolean): void {
  const files = e.clipboardData?.files
  // Office programs put a picture of the text beside it: the text is meant.
  if (!files?.length || correcting || e.clipboardData?.types.includes("text/plain")) return
  e.preventDefault()
  attach(c.id, files)
}

/**
 * useFocus puts the focus into the field when that is asked for, with the caret at its end, and when the conversation
 * is opened, unless one is writing elsewhere. A touch screen would show its keyboard over the messages.
 */
function useFocus(field: { current: HTMLTextAreaElement | null }, asked: number, edits: string | undefined): void {
  const seen = useRef(asked)
  useEffect(() => {
    const f = field.current
    if (!f) return
    if (seen.current === asked && edits === undefined) {
      const elsewhere = document.activeElement?.closest("input, textarea, dialog, [role=menu], [data-row]")
      if (!coarse.matches && !elsewhere) f.focus({ preventScroll: true })
      return
    }
    seen.current = asked
    f.focus({ preventScroll: true })
    f.setSelectionRange(f.value.length, f.value.length)
  }, [asked, edits])
}

/** useTyping says that one has stopped writing, after a pause or when the field goes. Its result says so at once. */
function useTyping(conversation: string): () => void {
  const text = draft(conversation).value
  useEffect(() => {
    const timer = setTimeout(() => typing(conversation, false), pause)
    return () => clearTimeout(timer)
  }, [text])
  useEffect(() => () => typing(conversation, false), [conversation])
  return () => typing(conversation, false)
}
