// The details of a conversation, beside it: what it is, who is in it, what one is told of.

import { useEffect, useRef, useState } from "preact/hooks"
import { notify } from "./acts"
import { at, call, detailOf, query } from "./api"
import { boot } from "./boot"
import { Failure } from "./fields"
import { T } from "./i18n"
import { about, narrow } from "./panes"
import { whereText } from "./people"
import { PinnedList } from "./pinnedlist"
import { go } from "./route"
import { Faces, MorePeople, SeveralPeople } from "./several"
import { conversations, me, presence } from "./store"
import { ConversationTasks } from "./tasklists"
import { toast } from "./toast"
import type { Conversation, People, Person } from "./types"
import { Avatar, Icon, statusText } from "./ui"

/** About is the panel. */
export function About({ id }: { id: string }) {
  const c = conversations.value.get(id)
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.activeElement
    panel.current?.focus()
    return () => { if (before instanceof HTMLElement && before.isConnected) before.focus() }
  }, [])
  if (!c) return null
  // On a phone it is the page.
  const Frame = narrow.value ? "main" : "aside"
  return (
    <Frame ref={panel} class="about" tabIndex={-1} aria-label={T("About {{.Name}}", { Name: c.name })}
      {...(narrow.value ? { id: "main" } : {})}>
      {narrow.value && <h1 class="visually-hidden">{boot.name}</h1>}
      <header class="about-head">
        <h2>{T("About")}</h2>
        <button class="quiet icon-button" aria-label={T("Close")} onClick={() => { about.value = false }}>
          <Icon name="x" />
        </button>
      </header>
      <div class="about-body">
        <What c={c} />
        {c.kind !== "person" && <Notifications c={c} />}
        <PinnedList key={c.id} c={c} />
        <ConversationTasks key={c.id} c={c} />
        {c.kind === "several" ? <SeveralPeople key={c.id} c={c} /> : c.kind !== "person" && <Members c={c} />}
        <Links c={c} />
      </div>
    </Frame>
  )
}

function What({ c }: { c: Conversation }) {
  const status = presence.value.get(c.id) ?? c.status
  return (
    <section class="about-what">
      {c.kind === "several" ? <Faces c={c} big />
        : <Avatar id={c.kind === "group" ? c.group ?? c.id : c.id} name={c.name} photo={c.photo} size="big"
          square={c.kind !== "person"} status={c.kind === "person" ? status : undefined} />}
      <h3 dir="auto">{whereText(c)}</h3>
      {c.kind === "person" && <p class="muted">{statusText(status)}<br /><code>{c.id}</code></p>}
      {c.topic && <p class="pre" dir="auto">{c.topic}</p>}
      <p class="chips">
        {c.restricted && <span class="badge"><Icon name="lock" />{T("restricted")}</span>}
        {c.closed && <span class="badge"><Icon name="archive" />{T("closed")}</span>}
        {c.kind !== "person" && !c.write && <span class="badge">{T("You can read here, but not write")}</span>}
      </p>
    </section>
  )
}

function Notifications({ c }: { c: Conversation }) {
  return (
    <section class="field">
      <label for="about-notify">{T("Notify me of")}</label>
      <select id="about-notify" value={c.notify}
        onChange={(e) => void notify(c.id, e.currentTarget.value as Conversation["notify"])}>
        <option value="all">{T("all messages")}</option>
        <option value="mentions">{T("mentions only")}</option>
        <option value="none">{T("nothing")}</option>
      </select>
    </section>
  )
}

const most = 50

/** Members lists people of a conversation: the first, or those of a search. The page of the group has all. */
function Members({ c }: { c: Conversation }) {
  const [words, setWords] = useState("")
  const [found, setFound] = useState<People>()
  const [problem, setProblem] = useState("")
  useEffect(() => {
    const cancel = new AbortController()
    const path = at(c.id, "people") + query({ q: words.trim(), limit: most })
    const load = () => call<People>("GET", path, undefined, cancel.signal).then((p) => {
      setFound(p)
      setProblem("")
    }, (err) => {
      if (!cancel.signal.aborted) setProblem(detailOf(err))
    })
    const timer = setTimeout(load, words ? 150 : 0)
    return () => {
      clearTimeout(timer)
      cancel.abort()
    }
  }, [c.id, words])
  const people = found?.people ?? []
  return (
    <section>
      <h3 id="about-members">{T("Members")} {found && <span class="muted">{found.total}</span>}</h3>
      <div class="search">
        <Icon name="search" />
        <input type="search" aria-label={T("Find a member")} placeholder={T("Find a member")} dir="auto" value={words}
          onInput={(e) => setWords(e.currentTarget.value)} />
      </div>
      <Failure text={problem} />
      <ul class="member-list" aria-labelledby="about-members">
        {people.map((p) => <Member key={p.id} c={c} p={p} />)}
      </ul>
      {found && !people.length && <p class="muted" role="status">{T("Nobody was found.")}</p>}
      {people.length < (found?.total ?? 0) && (
        <p class="muted small">{T("There are more: write more letters.")}
          {c.group && <> <a href={`/g/${encodeURIComponent(c.group)}/members`}>{T("All members")}</a></>}</p>
      )}
    </section>
  )
}

function Member({ c, p }: { c: Conversation; p: Person }) {
  const status = p.address ? presence.value.get(p.address) : undefined
  const address = p.address
  const mine = p.id === c.me
  return (
    <li>
      <Avatar id={address ?? p.id} name={p.name} photo={p.photo} size="tiny"
        status={status ?? (p.here ? { show: "available" } : undefined)} />
      <span class="grow">
        <b dir="auto">{p.name}</b>{mine && <span class="muted"> {T("(you)")}</span>}
        {p.role && p.role !== "member" && <small class="muted"> {roleText(p.role)}</small>}
        {status?.text && <small class="muted" dir="auto">{statusText(status)}</small>}
      </span>
      {address && !mine && address !== me.value.address && (
        <button class="quiet icon-button" aria-label={T("Write to {{.Name}}", { Name: p.name })}
          title={T("Write to {{.Name}}", { Name: p.name })}
          onClick={() => go({ view: "conversation", conversation: address })}>
          <Icon name="message-circle" />
        </button>
      )}
    </li>
  )
}

function roleText(role: string): string {
  switch (role) {
    case "owner": return T("role owner")
    case "moderator": return T("role moderator")
    case "banned": return T("role banned")
    default: return role
  }
}

/** Links lead to the pages that have everything else. */
function Links({ c }: { c: Conversation }) {
  if (c.kind === "person") {
    return (
      <ul class="side-list">
        <Way to={"/people?q=" + encodeURIComponent(c.name)} icon="user" text={T("Profile")} />
        {boot.several && <li><MorePeople c={c} /></li>}
      </ul>
    )
  }
  if (!c.group) return null
  const group = "/g/" + encodeURIComponent(c.group)
  const page = c.theme ? `${group}/t/${encodeURIComponent(c.theme)}` : group
  return (
    <ul class="side-list">
      <Way to={page} icon="external-link" text={c.theme ? T("Page of the theme") : T("Page of the group")} />
      {c.manage && <Way to={page + "/settings"} icon="settings" text={T("Settings and picture")} />}
      {c.manage && !c.theme && <Way to={group + "/members"} icon="user-plus" text={T("Add and remove members")} />}
      {!c.theme && (
        <li>
          <button class="quiet" onClick={() => void leave(c)}><Icon name="log-out" />{T("Leave the group")}</button>
        </li>
      )}
    </ul>
  )
}

function Way({ to, icon, text }: { to: string; icon: string; text: string }) {
  return <li><a href={to}><Icon name={icon} />{text}</a></li>
}

async function leave(c: Conversation): Promise<void> {
  if (!c.group || !confirm(T("Leave {{.Name}}? You will not see its messages any more.", { Name: c.name }))) return
  try {
    await call("POST", `/groups/${encodeURIComponent(c.group)}/leave`)
    about.value = false
    go({ view: "home" })
    toast(T("You have left {{.Name}}.", { Name: c.name }))
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}
