// What is sent later: the line above the field, the page with all of it, and the dialog that asks for a time.

import { useState } from "preact/hooks"
import "./later.css"
import { detailOf } from "./api"
import { Failure, Text } from "./fields"
import { T } from "./i18n"
import {
  changeScheduled, deleteScheduled, placeText, scheduled, scheduledIn, scheduleDraft, sendScheduled, type Scheduled,
} from "./later"
import { mentionsIn } from "./mentions"
import { hourKey, momentOf, momentsFrom } from "./moments"
import { asking, close } from "./panes"
import { remind } from "./reminders"
import { href } from "./route"
import { conversations } from "./store"
import { whenText } from "./time"
import { toast } from "./toast"
import type { Conversation } from "./types"
import { dayKey, Dialog, Icon } from "./ui"

/** LaterBanner says above the field what waits to be sent here. */
export function LaterBanner({ conversation: c }: { conversation: Conversation }) {
  const all = scheduledIn.value.get(c.id) ?? []
  const failed = all.filter((x) => x.failed !== undefined).length
  const next = all.find((x) => x.failed === undefined)
  if (!all.length) return null
  return (
    <p class={failed ? "later-banner failed" : "later-banner"}>
      <Icon name={failed ? "circle-alert" : "clock"} />
      <span class="grow">
        {failed ? T("{{.Count}} scheduled messages were not sent.", { Count: failed })
          : all.length === 1 && next ? T("A message will be sent {{.When}}.", { When: whenText(next.at) })
            : T("{{.Count}} messages will be sent later, the first {{.When}}.",
              { Count: all.length, When: next ? whenText(next.at) : "" })}
      </span>
      <a href={href({ view: "scheduled" })}>{T("Show")}</a>
    </p>
  )
}

/** LaterLink leads to the page, if there is anything on it. */
export function LaterLink({ current }: { current: boolean }) {
  const failed = scheduled.value.some((x) => x.failed !== undefined)
  if (!scheduled.value.length && !current) return null
  return (
    <a class="row way" href={href({ view: "scheduled" })} aria-current={current ? "page" : undefined}>
      <Icon name={failed ? "circle-alert" : "clock"} />
      <span class="grow">{T("Scheduled")}</span>
      <span class="count faint">{scheduled.value.length}</span>
    </a>
  )
}

/** LaterView is the page of everything that is sent later. */
export function LaterView() {
  const messages = scheduled.value.filter((x) => x.kind === "message")
  const reminders = scheduled.value.filter((x) => x.kind === "reminder")
  return (
    <section class="page" aria-labelledby="scheduled">
      <header class="page-head"><h1 id="scheduled">{T("Scheduled")}</h1></header>
      {!scheduled.value.length && (
        <p class="muted" role="status">
          {T("Nothing is scheduled. The menu beside “Send” has a message sent later, also while you are away.")}
        </p>
      )}
      {messages.length > 0 && <List id="later-messages" title={T("Messages")} list={messages} />}
      {reminders.length > 0 && <List id="later-reminders" title={T("Reminders")} list={reminders} />}
    </section>
  )
}

function List({ id, title, list }: { id: string; title: string; list: readonly Scheduled[] }) {
  return (
    <section>
      <h2 id={id}>{title}</h2>
      <ul class="later-list" aria-labelledby={id}>{list.map((x) => <li key={x.id}><Card x={x} /></li>)}</ul>
    </section>
  )
}

function Card({ x }: { x: Scheduled }) {
  const [busy, setBusy] = useState(false)
  const act = (f: () => Promise<void>, done: string) => async () => {
    if (busy) return
    setBusy(true)
    try {
      await f()
      toast(done)
    } catch (err) {
      toast(detailOf(err), { error: true })
      setBusy(false)
    }
  }
  const remind = x.kind === "reminder"
  return (
    <article class={x.failed === undefined ? "card later" : "card later failed"}>
      <p class="later-when">
        <Icon name={x.failed === undefined ? "clock" : "circle-alert"} />
        <b>{x.failed === undefined ? whenText(x.at) : T("Not sent: {{.Why}}", { Why: x.failed })}</b>
        {x.conversation !== undefined && <Place x={x} />}
      </p>
      {x.text && <p class="pre" dir="auto">{x.text}</p>}
      {x.files?.map((f) => <p key={f.url} class="muted"><Icon name="paperclip" /> <span dir="auto">{f.name}</span></p>)}
      <div class="later-acts">
        {!remind && (
          <button type="button" disabled={busy}
            onClick={() => void act(() => sendScheduled(x.id), T("The message is sent."))()}>
            <Icon name="send-horizontal" />{T("Send now")}
          </button>
        )}
        <button type="button" onClick={() => { asking.value = { what: "later", item: x } }}>
          <Icon name="pencil" />{T("Edit")}
        </button>
        <button type="button" disabled={busy}
          onClick={() => void act(() => deleteScheduled(x.id), remind ? T("The reminder is deleted.")
            : T("The message will not be sent."))()}>
          <Icon name="trash-2" />{T("Delete")}
        </button>
      </div>
    </article>
  )
}

function Place({ x }: { x: Scheduled }) {
  const id = x.conversation
  const name = <span dir="auto">{placeText(x)}</span>
  if (id === undefined || x.where === undefined) return <span class="muted">{name}</span>
  const to = { view: "conversation" as const, conversation: id, ...(x.message ? { message: x.message } : {}) }
  return <a href={href(to)}>{name}</a>
}

/**
 * LaterDialog asks when what is in the field of a conversation is sent or when one is reminded about a message, or
 * changes something that is scheduled.
 */
export function LaterDialog({ conversation, item, about }: {
  conversation?: string
  item?: Scheduled
  about?: { conversation: string; message: string }
}) {
  const first = item && item.failed === undefined ? new Date(item.at) : tomorrow()
  const [day, setDay] = useState(dayKey(first))
  const [hour, setHour] = useState(hourKey(first))
  const [text, setText] = useState(item?.text ?? "")
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const c = conversation === undefined ? undefined : conversations.value.get(conversation)
  const remindsOf = item?.kind === "reminder"
  const when = momentOf(day, hour)
  const submit = async () => {
    if (busy || !when) return
    setBusy(true)
    try {
      if (item) await changeScheduled(item.id, changeOf(item, when, text))
      else if (about) await remind(when, about)
      else if (c) await scheduleDraft(c, when)
      close()
    } catch (err) {
      setProblem(detailOf(err))
      setBusy(false)
    }
  }
  const title = about ? T("Remind me about this") : remindsOf ? T("Edit the reminder")
    : item ? T("Edit the scheduled message") : T("Send later")
  return (
    <Dialog title={title} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" disabled={busy || !when || (item !== undefined && !text.trim() && !item.files?.length)}>
        {item ? T("Save") : about ? T("Remind me") : T("Send later")}
      </button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      {item && <Text label={remindsOf ? T("What you are reminded of") : T("Message")} value={text} onInput={setText}
        max={20_000} rows={5} first />}
      <When day={day} hour={hour} onDay={setDay} onHour={setHour} first={!item} />
    </Dialog>
  )
}

/** When asks for a day and a time. */
export function When({ day, hour, onDay, onHour, first }: {
  day: string
  hour: string
  onDay: (day: string) => void
  onHour: (hour: string) => void
  first?: boolean
}) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
  return (
    <fieldset class="field task-due">
      <legend>{T("When")}</legend>
      <input type="date" required aria-label={T("Day")} value={day} min={dayKey(new Date())}
        {...(first ? { "data-autofocus": "" } : {})} onInput={(e) => onDay(e.currentTarget.value)} />
      <input type="time" required aria-label={T("Time")} value={hour} onInput={(e) => onHour(e.currentTarget.value)} />
      <p class="hint">{T("In your time zone: {{.Zone}}", { Zone: zone })}</p>
    </fieldset>
  )
}

function tomorrow(): Date {
  return momentsFrom(new Date()).find((m) => m.key === "tomorrow")!.at
}

/** changeOf gives what differs. The places of names in the old text are found again in the new one. */
function changeOf(x: Scheduled, when: Date, text: string): Parameters<typeof changeScheduled>[1] {
  const points = Array.from(x.text)
  const names = Object.fromEntries((x.mentions ?? []).flatMap((m) =>
    m.address ? [[points.slice(m.begin, m.end).join(""), m.address]] : []))
  return {
    ...(when.getTime() !== Date.parse(x.at) || x.failed !== undefined ? { at: when.toISOString() } : {}),
    ...(text !== x.text ? { text, mentions: mentionsIn(text, names) } : {}),
  }
}
