// A message in a list: who, when, what, and the way to it.

import { fold } from "./fold"
import { T } from "./i18n"
import { href } from "./route"
import type { Message } from "./types"
import { Avatar, moment, short } from "./ui"

/** Snippet shows a message in short. words are marked in it. where names its conversation, if the list has several. */
export function Snippet({ conversation, message: m, where, words, onPick }: {
  conversation: string
  message: Message
  where?: string
  words?: readonly string[]
  onPick?: () => void
}) {
  return (
    <a class="snippet" href={href({ view: "conversation", conversation, message: m.id })} onClick={onPick}>
      <Avatar id={m.by?.address ?? m.by?.id ?? conversation} name={m.by?.name ?? where ?? "#"} photo={m.by?.photo}
        size="tiny" />
      <span class="grow">
        <span class="snippet-head">
          {m.by && <b dir="auto">{m.by.name}</b>}
          {where && <span class="muted small" dir="auto">{where}</span>}
          <time class="muted small" dateTime={m.at} title={moment(m.at)}>{short(m.at)}</time>
        </span>
        <span class="snippet-text" dir="auto">
          <Marked text={snippetText(m)} words={words ?? []} />
        </span>
      </span>
    </a>
  )
}

/** snippetText is what a message says, in one text: of one without words, what it has instead. */
export function snippetText(m: Message): string {
  if (m.removed) return T("This message was removed.")
  const files = (m.files ?? []).map((f) => f.name).join(", ")
  return [m.text, files].filter(Boolean).join(" · ") || m.link || ""
}

/** Marked marks words in a text, by the beginnings of its words, without regard to case and accents. */
function Marked({ text, words }: { text: string; words: readonly string[] }) {
  const wanted = words.map(fold).filter((w) => w.length > 1)
  if (!wanted.length) return <>{text}</>
  return (
    <>
      {text.split(/([\p{L}\p{N}\p{M}]+)/u).map((part, i) =>
        i % 2 && wanted.some((w) => fold(part).startsWith(w)) ? <mark key={i}>{part}</mark> : part)}
    </>
  )
}

