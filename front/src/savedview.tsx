// The list of messages that one has saved for later.

import { useEffect, useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { loadSaved, savedChanges, setSaved, type SavedMessage, type SavedPage } from "./savedmessages"
import { Snippet } from "./snippet"
import { Icon } from "./ui"

/** SavedView is the page. */
export function SavedView() {
  const [page, setPage] = useState<SavedPage>()
  const [problem, setProblem] = useState("")
  const told = savedChanges.value
  const asked = useRef(0)
  const load = (before?: string) => {
    const mine = ++asked.current
    loadSaved(before).then((p) => {
      if (mine !== asked.current) return // the list is loaded anew
      setPage((was) => before === undefined ? p : { ...p, saved: [...(was?.saved ?? []), ...p.saved] })
      setProblem("")
    }, (err) => setProblem(detailOf(err)))
  }
  useEffect(() => load(), [told])
  return (
    <section class="page" aria-labelledby="saved">
      <header class="page-head"><h1 id="saved">{T("Saved messages")}</h1></header>
      <Failure text={problem} />
      {page && !page.saved.length && (
        <div class="empty" role="status">
          <Icon name="bookmark" />
          <h2>{T("Nothing is saved")}</h2>
          <p>{T("Save a message for later in its menu. Only you see what you have saved.")}</p>
        </div>
      )}
      <ul class="saved-list" aria-labelledby="saved" aria-busy={page === undefined}>
        {page?.saved.map((m) => <Entry key={m.conversation + m.id} saved={m} />)}
      </ul>
      {page?.more && <button type="button" onClick={() => load(page.more)}>{T("Older ones")}</button>}
    </section>
  )
}

function Entry({ saved: m }: { saved: SavedMessage }) {
  return (
    <li class="card saved-entry">
      <div class="grow">
        {m.message ? <Snippet conversation={m.conversation} message={m.message} {...(m.where ? { where: m.where } : {})} />
          : (
            <p class="removed">
              <Icon name={m.lost === "right" ? "lock" : "trash-2"} />
              {m.lost === "right" ? T("You may not read this message any more.") : T("This message is gone.")}
            </p>
          )}
      </div>
      <button type="button" class="quiet icon-button" aria-label={T("Remove from saved messages")}
        title={T("Remove from saved messages")} onClick={() => void setSaved(m.conversation, m.id, false)}>
        <Icon name="bookmark-x" />
      </button>
    </li>
  )
}
