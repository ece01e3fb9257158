// What a message was before it was edited, for its author and for moderators.

import { useEffect, useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { Body } from "./body"
import { Failure } from "./fields"
import { T } from "./i18n"
import { asking, close } from "./panes"
import { isMine } from "./state"
import type { Conversation, FileRef, Message } from "./types"
import { Dialog, moment } from "./ui"

interface Version { at: string; text: string; files?: FileRef[] }

/** Edited says that a message was edited. Who may see what it was before opens the list of versions by it. */
export function Edited({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  if (!m.edited) return null
  if (!c.manage && !isMine(c.id, m.by)) return <span class="edited" title={moment(m.edited)}> {T("(edited)")}</span>
  return (
    <button type="button" class="edited link" title={T("Edited {{.Time}}. Show what it was before.", { Time: moment(m.edited) })}
      onClick={() => { asking.value = { what: "versions", conversation: c, message: m } }}>{T("(edited)")}</button>
  )
}

/** VersionsDialog lists the versions, the newest first. */
export function VersionsDialog({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  const [versions, setVersions] = useState<readonly Version[]>()
  const [problem, setProblem] = useState("")
  useEffect(() => {
    call<{ versions: Version[] }>("GET", at(c.id, "messages", m.id, "versions"))
      .then((v) => setVersions(v.versions), (err) => setProblem(detailOf(err)))
  }, [])
  const last = (versions?.length ?? 0) - 1
  return (
    <Dialog title={T("Versions of this message")} read onClose={close}>
      <Failure text={problem} />
      {!versions && !problem && <p class="muted" role="status">{T("Loading …")}</p>}
      {versions && !versions.length && <p>{T("The message was taken back: nothing of it is shown.")}</p>}
      <ol class="versions">
        {versions?.map((v, i) => (
          <li key={v.at + i}>
            <p class="muted small"><time dateTime={v.at}>{moment(v.at)}</time> · {
              i === last ? T("as it is now") : i === 0 ? T("at first") : T("edited")}</p>
            {v.text && <Body text={v.text} />}
            {v.files?.map((f) => <p key={f.url} dir="auto">{f.name}</p>)}
          </li>
        )).reverse()}
      </ol>
    </Dialog>
  )
}
