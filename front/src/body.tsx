// The text of a message, with its styling.

import type { ComponentChildren } from "preact"
import { useMemo, useState } from "preact/hooks"
import { T } from "./i18n"
import { href, parse as placeAt, type Place } from "./route"
import { conversations, me } from "./state"
import { addressOf, folded, isOnlyEmoji, parse, type Block, type MentionRange, type Span } from "./styling"

/** Body shows a text with its styling. A long one is folded. lead is put before its first line, tail after its last. */
export function Body({ text, mentions, lead, tail }: {
  text: string
  mentions?: readonly MentionRange[] | undefined
  lead?: ComponentChildren
  tail?: ComponentChildren
}) {
  const [open, setOpen] = useState(false)
  const first = useMemo(() => folded(text), [text])
  const shown = open || first === undefined ? text : first
  const blocks = useMemo(() => parse(shown, mentions), [shown, mentions])
  if (!lead && isOnlyEmoji(text)) return <div class="body only-emoji" dir="auto">{text}{tail}</div>
  return (
    <div class="body">
      {lead}
      <Blocks text={shown} blocks={blocks} />
      {tail}
      {first !== undefined && (
        <button type="button" class="link fold" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? T("Show less") : T("Show more")}
        </button>
      )}
    </div>
  )
}

function Blocks({ text, blocks }: { text: string; blocks: readonly Block[] }) {
  return <>{blocks.map((b, i) => <OneBlock key={i} text={text} block={b} />)}</>
}

function OneBlock({ text, block }: { text: string; block: Block }) {
  switch (block.kind) {
    case "quote":
      return <blockquote><Blocks text={text} blocks={block.blocks} /></blockquote>
    case "pre":
      return (
        <pre tabIndex={0} aria-label={block.language || T("Preformatted text")} dir="ltr">
          <code>{block.lines.map((l) => text.slice(l.begin, l.end)).join("\n")}</code>
        </pre>
      )
    case "lines":
      return (
        <p dir="auto">
          {block.lines.map((line, i) => <>{i > 0 && "\n"}<Spans key={i} text={text} spans={line} /></>)}
        </p>
      )
  }
}

function Spans({ text, spans }: { text: string; spans: readonly Span[] }) {
  return <>{spans.map((s, i) => <OneSpan key={i} text={text} span={s} />)}</>
}

function OneSpan({ text, span }: { text: string; span: Span }) {
  if (span.kind === "strong") return <strong><Spans text={text} spans={span.spans} /></strong>
  if (span.kind === "emphasis") return <em><Spans text={text} spans={span.spans} /></em>
  if (span.kind === "strike") return <del><Spans text={text} spans={span.spans} /></del>
  if (!("begin" in span)) return null
  const said = text.slice(span.begin, span.end)
  switch (span.kind) {
    case "text": return <>{said}</>
    case "code": return <code>{said}</code>
    case "link": return <Link to={span.href} />
    case "mention": return <Mentioned said={said} address={span.address} everyone={span.everyone ?? false} />
  }
}

/** Link shows an address of a page, or what a conversation's or a message's address leads to. */
function Link({ to }: { to: string }) {
  const place = placeOf(to)
  if (place?.view === "tasks") return <a href={href(place)}>{T("Open the task")}</a>
  if (!place) return <a href={to} target="_blank" rel="noopener noreferrer">{to}</a>
  const name = conversations.value.get(place.conversation)?.name ?? place.conversation
  return <a href={href(place)}>{place.message === undefined ? name : T("a message in {{.Name}}", { Name: name })}</a>
}

/** placeOf gives the conversation that an address leads to, by its JID or as a page of this chat, or the task. */
function placeOf(to: string): Place & { view: "conversation" | "tasks" } | undefined {
  const address = addressOf(to)
  if (address !== undefined) return { view: "conversation", conversation: address }
  const url = new URL(to)
  if (url.origin !== location.origin || !/^\/chat\/(c|tasks)\//.test(url.pathname)) return undefined
  const found = placeAt(url)
  return found.view === "conversation" || found.view === "tasks" ? found : undefined
}

function Mentioned({ said, address, everyone }: { said: string; address: string | undefined; everyone: boolean }) {
  const mine = everyone || address === me.value.address
  if (!address || mine) return <span class={mine ? "mention own" : "mention"}>{said}</span>
  return <a class="mention" href={href({ view: "conversation", conversation: address })}>{said}</a>
}
