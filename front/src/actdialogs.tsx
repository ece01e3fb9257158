// Questions that come before something is done with a message.

import { signal } from "@preact/signals"
import { useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { T } from "./i18n"
import { Quoted } from "./quoted"
import { retract } from "./state"
import type { Conversation, Message } from "./types"
import { Dialog, toast } from "./ui"

interface Question { conversation: Conversation; message: Message; own: boolean }

const asked = signal<Question | undefined>(undefined)

/** askRetract asks whether a message is to be taken back, or to be removed, and why. */
export function askRetract(question: Question): void {
  asked.value = question
}

/** Questions shows the question that is open. */
export function Questions() {
  const q = asked.value
  const close = () => { asked.value = undefined }
  if (!q) return null
  return <Retract key={q.message.id} {...q} onClose={close} />
}

/** useTry does something that may fail: it shows why, and says whether it is being done. */
function useTry(): { busy: boolean; error: string | undefined; attempt: (act: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const running = useRef(false)
  const attempt = (act: () => Promise<void>) => {
    if (running.current) return
    running.current = true
    setBusy(true)
    setError(undefined)
    act().catch((err: unknown) => setError(detailOf(err))).finally(() => {
      running.current = false
      setBusy(false)
    })
  }
  return { busy, error, attempt }
}

function Retract({ conversation: c, message: m, own, onClose }: {
  conversation: Conversation
  message: Message
  own: boolean
  onClose: () => void
}) {
  const [reason, setReason] = useState("")
  const [warn, setWarn] = useState(false)
  const { busy, error, attempt } = useTry()
  const submit = () => attempt(async () => {
    await retract(c.id, m.id, reason.trim() || undefined, warn)
    toast(own ? T("The message is taken back.") : warn ? T("The message is removed, and its author is warned.")
      : T("The message is removed."))
    onClose()
  })
  return (
    <Dialog title={own ? T("Take this message back?") : T("Remove this message?")} onClose={onClose} onSubmit={submit}
      foot={
        <>
          <button type="submit" class="destroy" aria-disabled={busy} data-autofocus={own ? true : undefined}>
            {own ? T("Take back") : warn ? T("Remove and warn") : T("Remove")}
          </button>
          <button type="button" onClick={onClose}>{T("Cancel")}</button>
        </>
      }>
      <Quoted message={m} />
      {own ? <p>{T("Who has read it already may remember it. Other programs may keep what they have.")}</p> : (
        <label>
          {T("Reason")} <span class="optional">{T("(optional)")}</span>
          <input type="text" maxLength={200} dir="auto" data-autofocus value={reason}
            onInput={(e) => setReason(e.currentTarget.value)} />
          <small class="muted">{T("Everyone in here sees it.")}</small>
        </label>
      )}
      {!own && (
        <label class="check">
          <input type="checkbox" checked={warn} onChange={(e) => setWarn(e.currentTarget.checked)} />
          <span>{T("Warn the author by a message, with the reason")}</span>
        </label>
      )}
      {error && <p class="alert error" role="alert">{error}</p>}
    </Dialog>
  )
}
