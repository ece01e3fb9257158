// A conversation: its name, its messages, and the field.

import { useSignal, type Signal } from "@preact/signals"
import { useEffect, useState } from "preact/hooks"
import { Questions } from "./actdialogs"
import { Body } from "./body"
import { Composer } from "./composer"
import "./conversation.css"
import { picking } from "./emoji"
import { statusText } from "./avatar"
import { T } from "./i18n"
import { idAt } from "./ids"
import { Lightbox } from "./lightbox"
import { LaterBanner } from "./laterviews"
import { MessageList, type Jump } from "./list"
import { about } from "./panes"
import { whereText } from "./people"
import { Faces, namesUnder } from "./several"
import { notices, presence, send, conversations } from "./state"
import { TypingLine } from "./typingline"
import type { Conversation } from "./types"
import { Avatar, Dialog, Icon, Menu, type MenuItem } from "./ui"
import { attach } from "./uploads"

/** ConversationView shows a conversation, at a message if around names one. */
export function ConversationView({ id, around }: { id: string; around?: string | undefined }) {
  const c = conversations.value.get(id)
  if (!c) {
    return (
      <section class="conversation" aria-busy="true">
        <p class="list-note" role="status">{T("Loading …")}</p>
      </section>
    )
  }
  return <Open key={id} conversation={c} around={around} />
}

function Open({ conversation: c, around }: { conversation: Conversation; around: string | undefined }) {
  const jump = useSignal<Jump | undefined>(around === undefined ? undefined : { id: around, times: 1 })
  const to = (id: string) => { jump.value = { id, times: (jump.peek()?.times ?? 0) + 1 } }
  useEffect(() => {
    if (around !== undefined && jump.peek()?.id !== around) to(around)
  }, [around])
  const drop = useDrop(c)
  const name = whereText(c)
  return (
    <section class={drop.over ? "conversation dropping" : "conversation"} aria-label={name} {...drop.on}>
      <Header conversation={c} onDate={to} />
      <MessageList conversation={c} jump={jump} />
      <Notices conversation={c.id} />
      <TypingLine conversation={c.id} />
      <LaterBanner conversation={c} />
      <Composer conversation={c} />
      {drop.over && (
        <p class="drop-here"><Icon name="upload" />{T("Drop files to send them to {{.Name}}", { Name: name })}</p>
      )}
      <Pickers />
      <Questions />
      <Lightbox />
    </section>
  )
}

function Pickers() {
  const p = picking.value
  if (!p) return null
  return <p.view at={p.at} onPick={p.pick} onClose={() => { picking.value = undefined }} />
}

function Header({ conversation: c, onDate }: { conversation: Conversation; onDate: (id: string) => void }) {
  const [asking, setAsking] = useState(false)
  const status = c.kind === "person" ? presence.value.get(c.id) ?? c.status : undefined
  const members = c.people ? c.people.length + 1 : c.members
  const parent = c.parent === undefined ? undefined : conversations.value.get(c.parent)
  const items = (): MenuItem[] => [
    { label: T("Jump to a day"), icon: "calendar", do: () => setAsking(true) },
    ...mayMeet(c) ? [{ label: T("Start a meeting"), icon: "video", do: () => meet(c) }] : [],
    { label: T("About"), icon: "info", do: () => { about.value = true } },
  ]
  return (
    <header class="conversation-head">
      {c.kind === "person" && <Avatar id={c.id} name={c.name} photo={c.photo} status={status} size="tiny" />}
      {c.kind === "several" && <Faces c={c} />}
      <div class="grow">
        <h2 dir="auto">
          {c.kind !== "person" && c.kind !== "several" && <Icon name={c.restricted ? "lock" : "hash"} />}
          {parent && <><span class="muted">{parent.name}</span> <span class="muted" aria-hidden="true">›</span> </>}
          {c.name}
          {c.closed && <span class="badge">{T("closed")}</span>}
        </h2>
        <p class="muted small" dir="auto">{status ? statusText(status) : c.topic || namesUnder(c)}</p>
      </div>
      {members !== undefined && c.kind !== "person" && (
        <button type="button" class="quiet members" title={T("People")} onClick={() => { about.value = true }}
          aria-label={T("{{.Count}} people", { Count: members })}>
          <Icon name="users" />{members}
        </button>
      )}
      {mayMeet(c) && (
        <button type="button" class="quiet icon-button wide-only" aria-label={T("Start a meeting")}
          title={T("Start a meeting")} onClick={() => meet(c)}>
          <Icon name="video" />
        </button>
      )}
      <button type="button" class="quiet icon-button" aria-pressed={about.value} aria-label={T("About")}
        title={T("About")} onClick={() => { about.value = !about.value }}>
        <Icon name="info" />
      </button>
      <Menu label={T("More")} icon="ellipsis" items={items} />
      {asking && <AskDay onClose={() => setAsking(false)} onDay={(day) => { setAsking(false); onDate(idAt(day)) }} />}
    </header>
  )
}

// Meetings are started by the room's own command, with its rules.
function mayMeet(c: Conversation): boolean {
  return c.group !== undefined && c.write
}

function meet(c: Conversation): void {
  send(c.id, "!meet")
}

function AskDay({ onClose, onDay }: { onClose: () => void; onDay: (day: Date) => void }) {
  const [day, setDay] = useState("")
  const submit = () => {
    const [year, month, date] = day.split("-").map(Number)
    if (year && month && date) onDay(new Date(year, month - 1, date))
  }
  return (
    <Dialog title={T("Jump to a day")} onClose={onClose} onSubmit={submit} foot={
      <>
        <button type="submit" class="primary">{T("Show")}</button>
        <button type="button" onClick={onClose}>{T("Cancel")}</button>
      </>
    }>
      <label>{T("Day")}
        <input type="date" required data-autofocus value={day} max={new Date().toISOString().slice(0, 10)}
          onInput={(e) => setDay(e.currentTarget.value)} />
      </label>
    </Dialog>
  )
}

/** Notices are what the room says to oneself alone: answers to commands, and why something is not done. */
function Notices({ conversation }: { conversation: string }) {
  const list = notices.value.get(conversation) ?? []
  const close = (at: number) => {
    const next = new Map(notices.peek())
    next.set(conversation, list.filter((_, i) => i !== at))
    notices.value = next
  }
  return (
    <div class="notices" role="log" aria-live="polite" aria-label={T("Only you see this")}>
      {list.map((text, i) => (
        <div key={i + text} class="notice">
          <Icon name="eye" />
          <div class="grow">
            <small class="muted">{T("Only you see this")}</small>
            <Body text={text} />
          </div>
          <button type="button" class="quiet icon-button" aria-label={T("Close")} onClick={() => close(i)}>
            <Icon name="x" />
          </button>
        </div>
      ))}
    </div>
  )
}

/** useDrop takes files that are dropped anywhere on the conversation. */
function useDrop(c: Conversation) {
  const over: Signal<boolean> = useSignal(false)
  const depth = useSignal(0)
  const has = (e: DragEvent) => c.write && (e.dataTransfer?.types.includes("Files") ?? false)
  const on = {
    onDragEnter: (e: DragEvent) => {
      if (!has(e)) return
      e.preventDefault()
      depth.value++
      over.value = true
    },
    onDragOver: (e: DragEvent) => { if (has(e)) e.preventDefault() },
    onDragLeave: (e: DragEvent) => {
      if (!has(e)) return
      depth.value = Math.max(0, depth.peek() - 1)
      if (!depth.peek()) over.value = false
    },
    onDrop: (e: DragEvent) => {
      if (!has(e)) return
      e.preventDefault()
      depth.value = 0
      over.value = false
      // Of a folder there is nothing to read.
      const files = [...e.dataTransfer?.items ?? []].filter((i) => i.webkitGetAsEntry()?.isDirectory !== true)
        .flatMap((i) => i.getAsFile() ?? [])
      attach(c.id, files)
    },
  }
  return { over: over.value, on }
}
