// What stands around the messages of a list.

import { useSignal, type Signal } from "@preact/signals"
import { useEffect, useRef } from "preact/hooks"
import { T } from "./i18n"
import { Faces } from "./several"
import { isMine, type History } from "./state"
import { summaryOf } from "./summary"
import type { Conversation, Message } from "./types"
import { Avatar, Icon } from "./ui"

/** Beginning stands above the first message of a conversation. */
export function Beginning({ conversation: c, empty }: { conversation: Conversation; empty: boolean }) {
  const person = c.kind === "person"
  return (
    <div class="beginning">
      {c.kind === "several" ? <Faces c={c} big />
        : <Avatar id={c.id} name={c.name} photo={c.photo} size="big" square={!person} />}
      <h2 dir="auto">{c.name}</h2>
      <p class="muted">
        {person || c.kind === "several" && !c.named ? T("This is the beginning of your conversation with {{.Name}}.", { Name: c.name })
          : c.kind === "theme" ? T("This is the beginning of the theme {{.Name}}.", { Name: c.name })
            : T("This is the beginning of {{.Name}}.", { Name: c.name })}
        {" "}
        {empty && c.write && T("Write the first message.")}
      </p>
    </div>
  )
}

/** Failure says that messages could not be loaded, and lets one try again. */
export function Failure({ history: h }: { history: History }) {
  const again = () => {
    h.error.value = undefined
    void (h.messages.peek().length ? h.newer.peek() ? h.loadNewer() : h.loadOlder() : h.open())
  }
  return (
    <div class="alert error list-failure" role="alert">
      <Icon name="circle-alert" />
      <div class="grow" dir="auto">{h.error.value}</div>
      <button type="button" class="small-button" onClick={again}>{T("Retry")}</button>
    </div>
  )
}

/** NewestButton leads to the newest message, and says how many have come since one left the end. */
export function NewestButton({ conversation: c, history: h, far, onClick }: {
  conversation: Conversation
  history: History
  far: Signal<boolean>
  onClick: () => void
}) {
  const seen = useRef<string | undefined>(undefined)
  const messages = h.messages.value
  const last = messages.at(-1)?.id
  if (!far.value) {
    seen.current = last
    return null
  }
  const since = seen.current === undefined ? -1 : messages.findIndex((m) => m.id === seen.current)
  const arrived = since < 0 ? 0 : messages.slice(since + 1).filter((m) => !isMine(c.id, m.by)).length
  const count = Math.max(arrived, c.unread)
  return (
    <button type="button" class={count ? "newest some" : "newest"} onClick={onClick}>
      <Icon name="arrow-down" />
      {count >= 100 ? T("More than 99 new messages") : count ? T("{{.Count}} new messages", { Count: count })
        : T("Jump to the newest")}
    </button>
  )
}

const spokenAtMost = 3

/** Spoken tells screen readers of messages that arrive while the conversation is open. */
export function Spoken({ conversation: c, messages }: { conversation: Conversation; messages: readonly Message[] }) {
  const said = useSignal<readonly { id: string; text: string }[]>([])
  const before = useRef<string | undefined>(undefined)
  const last = messages.at(-1)
  useEffect(() => {
    const known = before.current
    before.current = last?.id
    if (!last || known === undefined) return
    const from = messages.findIndex((m) => m.id === known)
    if (from < 0) return // another part is shown
    const lines = messages.slice(from + 1).filter((m) => !isMine(c.id, m.by) && !m.removed).map((m) => ({
      id: m.id,
      text: spoken(m),
    }))
    if (lines.length) said.value = [...said.peek(), ...lines].slice(-spokenAtMost)
  }, [last?.id])
  return (
    <div class="visually-hidden" role="log" aria-live="polite" aria-relevant="additions" aria-label={T("New messages")}>
      {said.value.map((line) => <p key={line.id}>{line.text}</p>)}
    </div>
  )
}

function spoken(m: Message): string {
  const text = summaryOf(m)
  return m.by ? T("{{.Name}}: {{.Text}}", { Name: m.by.name, Text: text }) : text
}
