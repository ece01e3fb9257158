// The pinned messages of a conversation, in its details.

import { useEffect, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { about, narrow } from "./panes"
import { loadPins, mayPin, pinsOf, setPinned, type Pin } from "./pins"
import { Snippet } from "./snippet"
import type { Conversation } from "./types"
import { Icon } from "./ui"

/** PinnedList is the list; nothing where nothing is pinned and one may not pin. */
export function PinnedList({ c }: { c: Conversation }) {
  const [pins, setPins] = useState<readonly Pin[]>()
  const [problem, setProblem] = useState("")
  const told = pinsOf(c.id)
  useEffect(() => {
    let over = false
    loadPins(c.id).then((all) => {
      if (over) return
      setPins(all)
      setProblem("")
    }, (err) => { if (!over) setProblem(detailOf(err)) })
    return () => { over = true }
  }, [c.id, told])
  if (!problem && !pins?.length && !mayPin(c)) return null
  return (
    <section>
      <h3 id="about-pins">{T("Pinned")} {pins?.length ? <span class="muted">{pins.length}</span> : null}</h3>
      <Failure text={problem} />
      <ul class="pin-list" aria-labelledby="about-pins" aria-busy={pins === undefined}>
        {pins?.map((p) => (
          <li key={p.message.id} title={p.by ? T("Pinned by {{.Name}}", { Name: p.by.name }) : undefined}>
            {/* On a phone the conversation is behind the details. */}
            <Snippet conversation={c.id} message={p.message} onPick={() => { if (narrow.peek()) about.value = false }} />
            {mayPin(c) && (
              <button type="button" class="quiet icon-button" aria-label={T("Unpin")} title={T("Unpin")}
                onClick={() => void setPinned(c.id, p.message.id, false)}>
                <Icon name="pin-off" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {pins && !pins.length && <p class="muted" role="status">{T("Nothing is pinned.")}</p>}
    </section>
  )
}
