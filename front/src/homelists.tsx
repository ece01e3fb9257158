// What one may have missed besides messages: meetings to which one was invited a little while ago, and calls.

import { useEffect, useState } from "preact/hooks"
import { markRead } from "./acts"
import { call } from "./api"
import { Avatar } from "./avatar"
import "./homelists.css"
import { Icon } from "./icon"
import { T } from "./i18n"
import { keptValue } from "./kept"
import { topicOf } from "./message"
import { href } from "./route"
import { conversations } from "./store"
import { clock, short } from "./time"
import type { Author, Hit } from "./types"

interface MissedCall { id: string; conversation: string; by: Author; at: string; video: boolean }

/** dismissed are calls that one has put away here, the latest last. */
const dismissed = keptValue<readonly string[]>("calls/dismissed", [])
const most = 100

/** HomeLists shows both; nothing where there is neither. */
export function HomeLists() {
  const [meetings, setMeetings] = useState<readonly Hit[]>([])
  const [calls, setCalls] = useState<readonly MissedCall[]>([])
  useEffect(() => {
    const load = () => {
      if (document.hidden) return
      // Without a line there is nothing to tell of them; what is shown stays.
      call<{ meetings: Hit[] }>("GET", "/meetings").then((l) => setMeetings(l.meetings), () => undefined)
      call<{ calls: MissedCall[] }>("GET", "/calls/missed").then((l) => setCalls(l.calls), () => undefined)
    }
    load()
    document.addEventListener("visibilitychange", load)
    return () => document.removeEventListener("visibilitychange", load)
  }, [])
  const missed = calls.filter((c) => !dismissed.value.includes(c.id))
  if (!meetings.length && !missed.length) return null
  return (
    <div class="home-lists">
      {meetings.length > 0 && <section aria-labelledby="home-meetings">
        <h2 id="home-meetings">{T("Meetings of the last two hours")}</h2>
        <ul>{meetings.map((m) => <Held key={m.conversation + m.message.id} m={m} />)}</ul>
      </section>}
      {missed.length > 0 && <section aria-labelledby="home-calls">
        <h2 id="home-calls">{T("Missed calls")}</h2>
        <ul>{missed.map((c) => <Missed key={c.id} c={c} />)}</ul>
      </section>}
    </div>
  )
}

function Held({ m: { conversation, where, message } }: { m: Hit }) {
  const link = message.link && /^https?:\/\//i.test(message.link) ? message.link : undefined
  return (
    <li>
      <Icon name="video" />
      <span class="grow">
        <a href={href({ view: "conversation", conversation, message: message.id })}>
          <b dir="auto">{topicOf(message) || T("Meeting")}</b>
        </a>
        <small class="muted" dir="auto">{[where, message.by?.name, clock(message.at)].filter(Boolean).join(" · ")}</small>
      </span>
      {link && <a class="button small-button" href={link} target="_blank" rel="noopener noreferrer">{T("Join")}</a>}
    </li>
  )
}

function Missed({ c }: { c: MissedCall }) {
  const putAway = () => {
    dismissed.value = [...dismissed.peek().slice(1 - most), c.id]
    // On other devices it goes as well, if that marks no message as read that one has not seen.
    if (conversations.peek().get(c.conversation)?.unread === 0) markRead(c.conversation, c.id)
  }
  const what = c.video ? T("Video call") : T("Call")
  return (
    <li>
      <Avatar id={c.by.id} name={c.by.name} photo={c.by.photo} size="tiny" />
      <span class="grow">
        <b dir="auto">{c.by.name}</b>
        <small class="muted">{what} · {short(c.at)}</small>
      </span>
      <a class="button small-button" href={href({ view: "conversation", conversation: c.conversation })}
        aria-label={T("Write to {{.Name}}", { Name: c.by.name })}>{T("Write")}</a>
      <button class="quiet icon-button" aria-label={T("Remove {{.Name}}", { Name: c.by.name })} title={T("Remove")}
        onClick={putAway}>
        <Icon name="x" />
      </button>
    </li>
  )
}
