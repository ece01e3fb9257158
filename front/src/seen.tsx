// Who has seen a message of one's own. The server is asked while somebody points at the message.

import { useEffect, useState } from "preact/hooks"
import { at, call, detailOf, query } from "./api"
import { boot } from "./boot"
import { Failure } from "./fields"
import { T } from "./i18n"
import { asking, close } from "./panes"
import type { Author, Conversation, Message } from "./types"
import { Avatar, Dialog, Icon } from "./ui"

interface Seen { count: number; people: Author[]; more: boolean }

const load = (conversation: string, id: string, offset = 0) =>
  call<Seen>("GET", at(conversation, "messages", id, "seen") + query({ offset: offset || undefined }))

/** showsSeen is whether one can know who has seen one's messages in a conversation. */
export function showsSeen(c: Conversation): boolean {
  return c.kind === "person" || boot.seen !== false
}

/** OwnStatus says that the server has one's newest message and, while near, how many have seen it. */
export function OwnStatus({ conversation: c, message: m, near }: {
  conversation: Conversation
  message: Message
  near: boolean
}) {
  const [seen, setSeen] = useState<Seen>()
  useEffect(() => {
    if (!near || !showsSeen(c)) return
    let over = false
    load(c.id, m.id).then((s) => { if (!over) setSeen(s) }, () => undefined) // it is only said less
    return () => { over = true }
  }, [near, m.id])
  if (!seen?.count || c.kind === "person") {
    const label = seen?.count ? T("Seen") : T("Sent")
    return (
      <span class="own-status" title={seen?.count ? label : T("The server has this message.")}>
        <Icon name={seen?.count ? "check-check" : "check"} /><span class="visually-hidden">{label}</span>
      </span>
    )
  }
  return (
    <button type="button" class="own-status link" onClick={() => { asking.value = { what: "seen", conversation: c, message: m } }}>
      <Icon name="check-check" />{T("Seen by {{.Number}}", { Number: seen.count })}
    </button>
  )
}

/** SeenDialog lists who has seen a message. */
export function SeenDialog({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  const [seen, setSeen] = useState<Seen>()
  const [problem, setProblem] = useState("")
  const more = (known: readonly Author[]) => {
    load(c.id, m.id, known.length).then((s) => setSeen({ ...s, people: [...known, ...s.people] }),
      (err) => setProblem(detailOf(err)))
  }
  useEffect(() => more([]), [])
  return (
    <Dialog title={seen ? T("Seen by {{.Number}}", { Number: seen.count }) : T("Seen by")} read onClose={close}>
      <Failure text={problem} />
      {!seen && !problem && <p class="muted" role="status">{T("Loading …")}</p>}
      {seen?.count === 0 && <p role="status">{T("Nobody has seen it yet, as far as the server knows.")}</p>}
      {seen && seen.count > 0 && !seen.people.length && (
        <p role="status">{T("There are many people in here: names are not shown.")}</p>
      )}
      <ul class="member-list">
        {seen?.people.map((p) => (
          <li key={p.id}>
            <Avatar id={p.address ?? p.id} name={p.name} photo={p.photo} size="tiny" />
            <b class="grow" dir="auto">{p.name}</b>
          </li>
        ))}
      </ul>
      {seen?.more && <button type="button" onClick={() => more(seen.people)}>{T("More people")}</button>}
    </Dialog>
  )
}
