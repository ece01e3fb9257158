// Conversations of several people without a group: who is in them, what they are called.

import { useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { Avatar } from "./avatar"
import { boot } from "./boot"
import { Failure, Text } from "./fields"
import { Icon } from "./icon"
import { T } from "./i18n"
import { settle } from "./late"
import { about, asking } from "./panes"
import { go } from "./route"
import "./several.css"
import { me, presence, putAnswer, remove } from "./store"
import { toast } from "./toast"
import type { Conversation } from "./types"

/** most is how many people such a conversation has, oneself included. */
export const most = 9

/** Faces draws the first two of the people, one behind the other. */
export function Faces({ c, big }: { c: Conversation; big?: boolean }) {
  const shown = (c.people ?? []).slice(0, 2)
  return (
    <span class={big ? "faces big" : "faces"} aria-hidden="true">
      {shown.map((p) => <Avatar key={p.id} id={p.id} name={p.name} photo={p.photo} size="tiny" />)}
      {shown.length === 0 && <Icon name="users" />}
    </span>
  )
}

/** namesUnder are the people of a conversation that has a name of its own, to stand below it. */
export function namesUnder(c: Conversation): string {
  return c.named ? (c.people ?? []).map((p) => p.name).join(", ") : ""
}

/** MorePeople begins a conversation with somebody and others, or adds people to one of several. */
export function MorePeople({ c }: { c: Conversation }) {
  const ask = () => {
    asking.value = c.kind === "several" ? { what: "add people", conversation: c.id }
      : { what: "new conversation", people: [{ id: c.id, name: c.name, photo: c.photo }] }
  }
  return <button class="quiet" onClick={ask}><Icon name="user-plus" />{T("Add people")}</button>
}

/** SeveralPeople is what one sees and does beside a conversation: its people, its name, leaving it. */
export function SeveralPeople({ c }: { c: Conversation }) {
  const people = c.people ?? []
  return (
    <section>
      <h3 id="about-members">{T("Members")} <span class="muted">{people.length + 1}</span></h3>
      <ul class="member-list" aria-labelledby="about-members">
        {people.map((p) => (
          <li key={p.id}>
            <Avatar id={p.id} name={p.name} photo={p.photo} size="tiny" status={presence.value.get(p.id)} />
            <span class="grow"><b dir="auto">{p.name}</b></span>
            <button class="quiet icon-button" aria-label={T("Write to {{.Name}}", { Name: p.name })}
              title={T("Write to {{.Name}}", { Name: p.name })}
              onClick={() => go({ view: "conversation", conversation: p.id })}>
              <Icon name="message-circle" />
            </button>
          </li>
        ))}
        <li>
          <Avatar id={me.value.address} name={me.value.name} photo={me.value.photo} size="tiny" />
          <span class="grow"><b dir="auto">{me.value.name}</b><span class="muted"> {T("(you)")}</span></span>
        </li>
      </ul>
      <ul class="side-list">
        {boot.several && <li><MorePeople c={c} /></li>}
        <li><button class="quiet" onClick={() => void leave(c)}><Icon name="log-out" />{T("Leave")}</button></li>
      </ul>
      <NameOf c={c} />
    </section>
  )
}

/** NameOf lets everyone in a conversation give it a name. */
function NameOf({ c }: { c: Conversation }) {
  const [name, setName] = useState(c.named ? c.name : "")
  const [problem, setProblem] = useState("")
  const keep = async () => {
    try {
      await settle(call<Conversation>("PATCH", at(c.id), { name: name.trim() }), putAnswer)
      setProblem("")
      toast(T("Saved."))
    } catch (err) {
      setProblem(detailOf(err))
    }
  }
  return (
    <form class="several-name" onSubmit={(e) => { e.preventDefault(); void keep() }}>
      <Failure text={problem} />
      <Text label={T("Name")} value={name} onInput={setName} max={100} optional
        hint={T("Without one, everyone sees the names of the others.")} />
      <button class="small-button" disabled={name.trim() === (c.named ? c.name : "")}>{T("Save")}</button>
    </form>
  )
}

async function leave(c: Conversation): Promise<void> {
  if (!confirm(T("Leave {{.Name}}? You will not see its messages any more.", { Name: c.name }))) return
  try {
    await call("POST", at(c.id, "leave"))
    about.value = false
    remove(c.id)
    go({ view: "home" })
    toast(T("You have left {{.Name}}.", { Name: c.name }))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}
