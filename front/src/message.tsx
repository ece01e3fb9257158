// A message, as a row of the list.

import type { ComponentChildren } from "preact"
import { useEffect, useState } from "preact/hooks"
import "./marks.css"
import { Tools } from "./actions"
import { mayReact } from "./may"
import { Body } from "./body"
import { putBack } from "./composing"
import { Files } from "./files"
import { T } from "./i18n"
import { LinkPreview } from "./linkpreview"
import { memo } from "./memo"
import { Reactions } from "./reactions"
import { conversations, discard, isMine, line, me, retry, self, type Pending } from "./state"
import { href } from "./route"
import { about } from "./panes"
import { isPinned } from "./pins"
import { OwnStatus } from "./seen"
import { isSaved } from "./savedmessages"
import { statusOf } from "./statusof"
import { summaryOf } from "./summary"
import { TaskCard } from "./taskcard"
import type { Author, Conversation, Message, Task } from "./types"
import { Edited } from "./versions"
import { Avatar, clock, Icon, moment, toast } from "./ui"

/** RowProps is what a row of a message is given. */
interface RowProps {
  conversation: Conversation
  message: Message
  rowKey: string
  compact: boolean
  /** tab says that the Tab key reaches this row; others are reached by arrows. */
  tab: boolean
  marked: boolean
  newestOwn: boolean
  onJump: (id: string) => void
}

/** MessageRow shows a message. */
export const MessageRow = memo(function MessageRow(p: RowProps) {
  const { conversation: c, message: m } = p
  const [pointed, setPointed] = useState(false)
  const [focused, setFocused] = useState(false)
  const kind = m.by === undefined || m.kind === "subject" ? "room-line" : m.removed ? "gone" : "said"
  const classes = ["message", kind]
  if (p.compact) classes.push("compact")
  if (p.marked) classes.push("marked")
  if (mentionsMe(c, m)) classes.push("for-me")
  return (
    <article class={classes.join(" ")} data-row={p.rowKey} data-id={m.id} tabIndex={p.tab ? 0 : -1}
      aria-label={labelOf(m)} aria-keyshortcuts="Enter"
      onPointerEnter={(e) => setPointed(e.pointerType !== "touch")} onPointerLeave={() => setPointed(false)}
      onFocusIn={() => setFocused(true)} onFocusOut={() => setFocused(false)}>
      {kind === "room-line" ? <RoomLine message={m} /> : (
        <>
          <Gutter compact={p.compact} by={m.by!} at={m.at} />
          <div class="content">
            {!p.compact && !(m.kind === "me" && !m.removed) && <Head by={m.by!} at={m.at} />}
            {m.reply && !m.removed && <Quote reply={m.reply} onJump={p.onJump} />}
            {m.removed ? <Removed message={m} /> : <Said conversation={c} message={m} />}
            {!m.removed && <Marks conversation={c} message={m} />}
            {p.newestOwn && !m.removed && <OwnStatus conversation={c} message={m} near={pointed || focused} />}
          </div>
        </>
      )}
      {(pointed || focused) && <Tools conversation={c} message={m} />}
    </article>
  )
})

function mentionsMe(c: Conversation, m: Message): boolean {
  if (!m.mentions?.length || m.removed || isMine(c.id, m.by)) return false
  const { address } = self(c.id)
  return m.mentions.some((x) => x.everyone || x.address === address)
}

function labelOf(m: Message): string {
  const words = { Time: moment(m.at), Text: summaryOf(m) }
  return m.by ? T("{{.Name}}, {{.Time}}: {{.Text}}", { Name: m.by.name, ...words }) : T("{{.Time}}: {{.Text}}", words)
}

function Gutter({ compact, by, at }: { compact: boolean; by: Author; at: string }) {
  if (compact) return <time class="gutter" dateTime={at} title={moment(at)}>{clock(at)}</time>
  const status = by.address ? statusOf(by.address).value : undefined
  return <div class="gutter"><Avatar id={by.id} name={by.name} photo={by.photo} status={status} /></div>
}

/** isColleague says whether one can write to somebody: a person of the same server, and not oneself. */
function isColleague(by: Author): boolean {
  const { address } = me.peek()
  return by.address !== undefined && by.address !== address && by.address.split("@")[1] === address.split("@")[1]
}

function Head({ by, at }: { by: Author; at: string }) {
  return (
    <header>
      {isColleague(by) ? (
        <a class="by" dir="auto" title={by.address} href={href({ view: "conversation", conversation: by.address! })}>
          {by.name}
        </a>
      ) : <b class="by" dir="auto" title={by.address}>{by.name}</b>}
      {by.hats?.map((hat) => (
        <span key={hat.name} class="hat" dir="auto">
          {hat.colour && <i style={{ backgroundColor: hat.colour }} aria-hidden="true" />}{hat.name}
        </span>
      ))}
      <time dateTime={at} title={moment(at)}>{clock(at)}</time>
    </header>
  )
}

function Said({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  return (
    <>
      {m.kind === "meeting" ? <Meeting message={m} /> : m.task && m.kind === "task-done" ? <TaskDone task={m.task} />
        : m.task ? <TaskCard task={m.task} /> : m.text && (
        <div class={m.kind === "me" ? "does" : undefined}>
          <Body text={m.text} mentions={m.mentions} lead={m.kind === "me" ? <b dir="auto">{m.by!.name} </b> : undefined}
            tail={<Tail conversation={c} message={m} />} />
        </div>
      )}
      {m.preview && <LinkPreview preview={m.preview} />}
      {m.files?.length ? <Files files={m.files} /> : null}
      <Reactions conversation={c.id} message={m} may={mayReact(c, m)} />
    </>
  )
}

/** Tail is what stands after a text: the time of what somebody does, and that it was edited. */
function Tail({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  return (
    <>
      {m.kind === "me" && <time dateTime={m.at} title={moment(m.at)}> {clock(m.at)}</time>}
      {m.opens && <Open to={m.opens} />}
      <Edited conversation={c} message={m} />
    </>
  )
}

/** Open leads to the conversation that a message hands over. */
function Open({ to }: { to: string }) {
  const name = conversations.value.get(to)?.name
  return (
    <>
      {" "}
      <a href={href({ view: "conversation", conversation: to })}
        aria-label={name ? T("Open {{.Name}}", { Name: name }) : undefined}>{T("Open")}</a>
    </>
  )
}

function Removed({ message: m }: { message: Message }) {
  const { own, by, reason } = m.removed!
  const what = own ? T("{{.Name}} took this message back.", { Name: m.by?.name ?? "" })
    : by ? T("{{.Name}} removed this message.", { Name: by }) : T("This message was removed.")
  return (
    <p class="removed" dir="auto">
      <Icon name="trash-2" />
      {what} {reason && T("Reason: {{.Reason}}", { Reason: reason })}
    </p>
  )
}

/** Marks says that a message is pinned, and that one has saved it. */
function Marks({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  const saved = isSaved(c.id, m.id)
  const pinned = isPinned(c.id, m.id)
  if (!saved && !pinned) return null
  return (
    <p class="marks">
      {pinned && (
        <button type="button" class="link" onClick={() => { about.value = true }}>
          <Icon name="pin" />{T("Pinned for everyone")}
        </button>
      )}
      {saved && <a href={href({ view: "saved" })}><Icon name="bookmark" />{T("Saved for later")}</a>}
    </p>
  )
}

/** RoomLine is what the room itself says, and changes of the topic. */
function RoomLine({ message: m }: { message: Message }) {
  return (
    <div class="room-said">
      {m.kind === "subject" ? <p dir="auto"><Icon name="info" /> {subjectOf(m)}</p>
        : <Body text={m.text} mentions={m.mentions} tail={m.opens && <Open to={m.opens} />} />}
      <time dateTime={m.at} title={moment(m.at)}>{clock(m.at)}</time>
    </div>
  )
}

function subjectOf(m: Message): string {
  const by = m.by?.name
  if (!m.text) return by ? T("{{.Name}} removed the topic.", { Name: by }) : T("The topic was removed.")
  return by ? T("{{.Name}} changed the topic to {{.Topic}}", { Name: by, Topic: m.text })
    : T("The topic is {{.Topic}}", { Topic: m.text })
}

function Quote({ reply, onJump }: { reply: NonNullable<Message["reply"]>; onJump: (id: string) => void }) {
  if (reply.gone) return <p class="quote gone"><Icon name="reply" /> {T("Answers a message that is gone.")}</p>
  const text = reply.text || T("a message")
  return (
    <button type="button" class="quote" onClick={() => onJump(reply.id)}
      aria-label={T("Answers {{.Name}}: {{.Text}}. Go there.", { Name: reply.by ?? "", Text: text })}>
      <Icon name="reply" />{reply.by && <b dir="auto">{reply.by}</b>} <span dir="auto">{text}</span>
    </button>
  )
}

function Meeting({ message: m }: { message: Message }) {
  const link = m.link && /^https?:\/\//i.test(m.link) ? m.link : undefined
  const topic = topicOf(m)
  return (
    <div class="meeting">
      <Icon name="video" />
      <div class="grow">
        <b dir="auto">{topic || T("Meeting")}</b>
        <small>{T("{{.Name}} started a meeting.", { Name: m.by?.name ?? "" })}</small>
      </div>
      {link && (
        <a class="button primary" href={link} target="_blank" rel="noopener noreferrer">{T("Join")}</a>
      )}
    </div>
  )
}

/** topicOf gives what a meeting is about: its text without the address and without the word before it. */
export function topicOf(m: Message): string {
  return m.text.replace(m.link ?? "", "").replace(/^Meeting:\s*/, "").replace(/[:\s]+$/, "").trim()
}

function TaskDone({ task }: { task: Task }) {
  return (
    <p class="room-said" dir="auto">
      <Icon name="circle-check" /> <a href={href({ view: "tasks", task: task.id })}>
        {T("Done: {{.What}}", { What: task.what })}</a>
    </p>
  )
}

/** PendingRow shows a message that the server has not taken yet. */
export const PendingRow = memo(function PendingRow({ conversation, pending: p, rowKey, compact, onJump }: {
  conversation: Conversation
  pending: Pending
  rowKey: string
  compact: boolean
  onJump: (id: string) => void
}) {
  const by = self(conversation.id)
  const does = /^\/me\s/.test(p.text)
  return (
    <article class={"message said pending" + (compact ? " compact" : "") + (p.error ? " failed" : "")} data-row={rowKey}
      tabIndex={-1} aria-label={T("{{.Name}}, not sent yet", { Name: by.name })}>
      <Gutter compact={compact} by={by} at={p.at} />
      <div class="content">
        {!compact && <Head by={by} at={p.at} />}
        {p.reply && <Quote onJump={onJump}
          reply={{ id: p.reply.id, text: p.reply.text, ...(p.reply.by ? { by: p.reply.by.name } : {}) }} />}
        {p.text && (
          <div class={does ? "does" : undefined}>
            <Body text={does ? p.text.slice(4) : p.text} mentions={does ? undefined : p.mentions}
              lead={does ? <b>{by.name} </b> : undefined} />
          </div>
        )}
        {p.files.length > 0 && <Files files={p.files} />}
        <PendingState pending={p} />
      </div>
    </article>
  )
})

function PendingState({ pending: p }: { pending: Pending }) {
  const late = useLater(2000)
  if (!p.error) {
    // Most messages are taken at once: what flashes would only disturb.
    if (!late) return null
    return (
      <div class="pending-state muted">
        <Icon name="clock" />
        <span class="grow">
          {line.value === "online" ? T("Sending …") : T("Will be sent when you are online again.")}
        </span>
        {line.value !== "online" && <Act onClick={() => throwAway(p)}>{T("Discard")}</Act>}
      </div>
    )
  }
  return (
    <div class="pending-state error" role="alert">
      <Icon name="circle-alert" />
      <span class="grow" dir="auto">{T("Not sent: {{.Reason}}", { Reason: p.error })}</span>
      <Act onClick={() => retry(p.origin)}>{T("Retry")}</Act>
      <Act onClick={() => putBack(p)}>{T("Edit")}</Act>
      <Act onClick={() => throwAway(p)}>{T("Discard")}</Act>
    </div>
  )
}

function Act({ onClick, children }: { onClick: () => void; children: ComponentChildren }) {
  return <button type="button" class="small-button" onClick={onClick}>{children}</button>
}

function throwAway(p: Pending): void {
  discard(p.origin)
  toast(T("The message is discarded."), { act: { label: T("Undo"), do: () => putBack(p) } })
}

function useLater(ms: number): boolean {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), ms)
    return () => clearTimeout(timer)
  }, [ms])
  return late
}
