// The dialog in which one reports a message to those who keep order.

import { useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { close } from "./panes"
import { Quoted } from "./quoted"
import { toast } from "./toast"
import type { Conversation, Message } from "./types"
import { Dialog } from "./ui"

type Reason = "spam" | "abuse" | "other"

/** ReportDialog asks why. */
export function ReportDialog({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  const [reason, setReason] = useState<Reason>("abuse")
  const [text, setText] = useState("")
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const submit = async () => {
    if (busy) return
    setBusy(true)
    try {
      await call("POST", at(c.id, "messages", m.id, "report"), { reason, ...(text.trim() ? { text: text.trim() } : {}) })
      toast(T("The message is reported."))
      close()
    } catch (err) {
      setProblem(detailOf(err))
      setBusy(false)
    }
  }
  const choices: readonly (readonly [Reason, string])[] = [
    ["abuse", T("It insults, threatens or harms somebody")], ["spam", T("It is advertising")], ["other", T("Something else")],
  ]
  return (
    <Dialog title={T("Report this message?")} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" aria-disabled={busy}>{T("Report")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Quoted message={m} />
      <p>{c.group ? T("The moderators of the group read the message, and who reports it.")
        : T("The administrators read the message, and who reports it.")}</p>
      <fieldset class="reasons">
        <legend>{T("Why")}</legend>
        {choices.map(([value, label], i) => (
          <label key={value}>
            <input type="radio" name="reason" value={value} checked={reason === value} data-autofocus={i === 0 || undefined}
              onChange={() => setReason(value)} /> {label}
          </label>
        ))}
      </fieldset>
      <label>
        {T("What else they should know")} <span class="optional">{T("(optional)")}</span>
        <textarea rows={3} maxLength={1000} dir="auto" value={text} onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      <Failure text={problem} />
    </Dialog>
  )
}
