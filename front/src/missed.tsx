// All that is unread, with its messages: mentions first, then conversations by their newest message.

import { useEffect, useRef, useState } from "preact/hooks"
import { markRead } from "./acts"
import { beginning, type Beginning } from "./beginning"
import { at, call, detailOf, query } from "./api"
import { Failure } from "./fields"
import { HomeLists } from "./homelists"
import { T } from "./i18n"
import { keptOf } from "./offline"
import { discard, outbox, retry } from "./outbox"
import { whereText } from "./people"
import { href } from "./route"
import { Snippet } from "./snippet"
import { conversations, loaded, order } from "./store"
import { Counts } from "./tree"
import type { Conversation, Message, MessagePage } from "./types"
import { Icon } from "./ui"

const shown = 5 // messages of each conversation

/** MissedView is the list. Conversations stay in it while it is open, so that nothing jumps away under the hand. */
export function MissedView() {
  const kept = useRef<readonly string[]>([])
  const known = useRef(loaded.value)
  if (known.current !== loaded.value) {
    // What the last visit has kept may be read by now.
    known.current = loaded.value
    kept.current = []
  }
  const now = missed().map((c) => c.id)
  kept.current = [...kept.current, ...now.filter((id) => !kept.current.includes(id))]
  const list = kept.current.flatMap((id) => conversations.value.get(id) ?? [])
  const open = list.filter((c) => c.unread || c.mentions)
  const readAll = () => open.forEach((c) => c.last && markRead(c.id, c.last.id))
  return (
    <section class="page" aria-labelledby="missed">
      <header class="page-head">
        <h1 id="missed">{T("Missed activity")}</h1>
        {open.length > 0 && (
          <button onClick={readAll}><Icon name="check-check" />{T("Mark all as read")}</button>
        )}
      </header>
      <Unsent />
      <HomeLists />
      {loaded.value && !open.length && (
        <div class="empty" role="status">
          <Icon name="circle-check" />
          <h2>{T("You have seen everything")}</h2>
          <p>{T("New messages appear here.")}</p>
        </div>
      )}
      {list.map((c) => <Card key={c.id} c={c} />)}
    </section>
  )
}

/** Unsent has messages to conversations that are not there any more: nothing that was written is lost. */
function Unsent() {
  const lost = outbox.value.filter((p) => p.error !== undefined && !conversations.value.has(p.conversation))
  if (!loaded.value || !lost.length) return null
  return (
    <article class="card" aria-label={T("Not sent")}>
      <h2>{T("Not sent")}</h2>
      {lost.map((p) => (
        <div key={p.origin} class="unsent">
          <p class="pre" dir="auto">{p.text || p.files.map((f) => f.name).join(", ")}</p>
          <p class="small muted" dir="auto">{p.conversation}: {p.error}</p>
          <button class="small-button" onClick={() => retry(p.origin)}>{T("Retry")}</button>
          {" "}
          <button class="small-button" onClick={() => discard(p.origin)}>{T("Discard")}</button>
        </div>
      ))}
    </article>
  )
}

/** direct is whether one is told of all that is said in a conversation, for it is with oneself. */
const direct = (c: Conversation) => c.kind === "person" || c.kind === "several" && c.notify === "all"

/** missed are the conversations with something new, in the order in which one wants to see them. */
function missed(): Conversation[] {
  const rank = (c: Conversation) => c.mentions ? 0 : direct(c) ? 1 : c.notify !== "none" ? 2 : 3
  return order.value.filter((c) => c.unread || c.mentions).sort((a, b) => rank(a) - rank(b))
}

function Card({ c }: { c: Conversation }) {
  const done = !c.unread && !c.mentions
  const card = useRef<HTMLElement>(null)
  const { messages, problem, load } = useMissed(card, c)
  if (done) {
    return (
      <article class="card missed-card done">
        <Icon name="check-check" />
        <a dir="auto" href={href({ view: "conversation", conversation: c.id })}>{whereText(c)}</a>
        <span class="muted small">{T("all read")}</span>
      </article>
    )
  }
  const left = Math.min(c.unread, 100) - messages.length
  return (
    <article ref={card} class="card missed-card" aria-label={whereText(c)}>
      <header>
        <h2><a dir="auto" href={href({ view: "conversation", conversation: c.id })}>{whereText(c)}</a></h2>
        <Counts unread={c.unread} mentions={c.mentions} muted={c.notify === "none"} />
        <span class="grow" />
        <button class="small-button quiet" onClick={() => c.last && markRead(c.id, c.last.id)}>
          <Icon name="check" />{T("Mark as read")}
        </button>
      </header>
      {problem && <><Failure text={problem} /><button onClick={load}>{T("Try again")}</button></>}
      {messages.map((m) => <Snippet key={m.id} conversation={c.id} message={m} />)}
      {messages.length > 0 && left > 0 && (
        <a class="small" href={href({ view: "conversation", conversation: c.id })}>
          {T("and {{.Count}} more", { Count: left })}
        </a>
      )}
    </article>
  )
}

/** useMissed loads the first unread messages of a conversation once its card comes near the window. */
function useMissed(card: { current: HTMLElement | null }, c: Conversation) {
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [problem, setProblem] = useState("")
  const begins = useRef<Beginning | undefined>(undefined)
  const asked = useRef(0)
  begins.current = beginning(begins.current, loaded.value, c.read)
  const { read, sure } = begins.current
  const load = () => {
    setProblem("")
    if (!sure) { // without a line: what the last visit has kept
      void keptOf(c.id).then((all) => setMessages(all.filter((m) => read === undefined || m.id > read).slice(0, shown)))
      return
    }
    const where = read ? { after: read, limit: shown } : { limit: Math.min(shown, c.unread || shown) }
    const mine = ++asked.current
    call<MessagePage>("GET", at(c.id, "messages") + query(where))
      .then((page) => { if (mine === asked.current) setMessages(page.messages) }, (err) => setProblem(detailOf(err)))
  }
  useEffect(() => {
    if (!card.current) return
    const sight = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return
      sight.disconnect()
      load()
    }, { rootMargin: "400px" })
    sight.observe(card.current)
    return () => sight.disconnect()
  }, [sure])
  // What arrives while the list is open is loaded too.
  useEffect(() => {
    if (messages.length && messages.length < shown && c.unread > messages.length) load()
  }, [c.last?.id])
  return { messages, problem, load }
}
