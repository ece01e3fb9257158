// Forwarding a message to another conversation.

import { useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { close } from "./panes"
import { colleagues, conversationChoice, conversationsLike } from "./people"
import { Picker, type Choice, type Found } from "./picker"
import { Quoted } from "./quoted"
import { go } from "./route"
import { me } from "./store"
import { toast } from "./toast"
import type { Conversation, Message } from "./types"
import { Dialog } from "./ui"

/** ForwardDialog asks where to, and what one says of it. What was written stays if it is not sent. */
export function ForwardDialog({ conversation: c, message: m }: { conversation: Conversation; message: Message }) {
  const [to, setTo] = useState<readonly Choice[]>([])
  const [text, setText] = useState("")
  const [origin] = useState(() => crypto.randomUUID())
  const [tried, setTried] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const target = to[0]
  const submit = async () => {
    if (busy || !target) return
    setBusy(true)
    try {
      await call("POST", at(c.id, "messages", m.id, "forward"),
        { to: target.id, origin, ...(tried ? { again: true } : {}), ...(text.trim() ? { text: text.trim() } : {}) })
      close()
      toast(T("The message is forwarded to {{.Name}}.", { Name: target.name }),
        { act: { label: T("Open"), do: () => go({ view: "conversation", conversation: target.id }) } })
    } catch (err) {
      setProblem(detailOf(err))
      setTried(true)
      setBusy(false)
    }
  }
  return (
    <Dialog title={T("Forward this message")} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" disabled={!target} aria-disabled={busy}>{T("Forward")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Quoted message={m} />
      <Picker label={T("To which conversation")} load={targets} chosen={to} all={false}
        onChosen={(chosen) => setTo(chosen.slice(-1))} />
      <label>
        {T("What you say of it")} <span class="optional">{T("(optional)")}</span>
        <textarea rows={2} maxLength={5000} dir="auto" value={text} onInput={(e) => setText(e.currentTarget.value)} />
      </label>
      <Failure text={problem} />
    </Dialog>
  )
}

/** targets finds conversations that one may write in, and colleagues. */
async function targets(words: string, cancel: AbortSignal, early: (found: Found) => void): Promise<Found> {
  const here = conversationsLike(words, 20).filter((c) => c.write).map((c) => {
    const { id, name, photo, icon, status } = conversationChoice(c)
    return { id, name, photo, status, ...(icon ? { icon } : {}) }
  })
  if (!words) return { choices: here }
  early({ choices: here })
  const found = await colleagues(words, cancel, [me.peek().address, ...here.map((c) => c.id)], 8)
    .catch(() => ({ choices: [] }))
  return { choices: [...here, ...found.choices] }
}
