// What an organization's programs can do with a message. Administrators define it, and the menu of a message has it.

import { signal } from "@preact/signals"
import { useState } from "preact/hooks"
import { at, call, detailOf } from "./api"
import { boot, type ProgramAct } from "./boot"
import { Failure, Text } from "./fields"
import { lang, T } from "./i18n"
import { read, write } from "./kept"
import { openMenu, type MenuItem } from "./menu"
import { asking, close } from "./panes"
import { go } from "./route"
import { current, takeNotice } from "./store"
import { summaryOf } from "./summary"
import { toast } from "./toast"
import type { Conversation, Message } from "./types"
import { Dialog } from "./ui"

/** Answer is what a program has answered. */
interface Answer { visible: "conversation" | "only-me"; text?: string; link?: string; message?: string; note?: string }

const known = signal<readonly ProgramAct[]>(boot.actions ?? [])
const fresh = 60_000 // ms
let asked = performance.now()

/** refresh learns what administrators have changed, for the next menu. */
async function refresh(): Promise<void> {
  if (performance.now() - asked < fresh) return
  asked = performance.now()
  known.value = await call<readonly ProgramAct[]>("GET", "/me/actions").catch(() => known.peek())
}

function nameOf(a: ProgramAct): string {
  return lang === "fr" && a.name_fr ? a.name_fr : a.name
}

const most = 4 // in the menu of a message itself

/** programsOf lists what programs can do with a message. More than a few have a menu of their own, at the same place. */
export function programsOf(c: Conversation, m: Message, spot: Element): MenuItem[] {
  if (m.by === undefined || m.removed !== undefined || m.kind === "encrypted") return []
  void refresh()
  const all = known.peek().filter((a) => a.all || c.group !== undefined && a.groups?.includes(c.group))
  const items = all.map((a): MenuItem => ({
    label: a.comment ? T("{{.Name}} …", { Name: nameOf(a) }) : nameOf(a),
    icon: a.icon,
    do: () => {
      if (a.comment) asking.value = { what: "program", conversation: c, message: m, act: a }
      else void use(c, m, a)
    },
  }))
  if (items.length <= most) return items
  return [{ label: T("More actions …"), icon: "zap", do: () => openMenu(spot, T("More actions …"), items) }]
}

/** ask has a program do something with a message, and shows the answer. It throws a Problem. */
async function ask(c: Conversation, m: Message, a: ProgramAct, comment: string): Promise<void> {
  const body = comment ? { comment } : {}
  const said = await call<Answer>("POST", at(c.id, "messages", m.id, "actions", a.id), body)
  const name = nameOf(a)
  const text = [said.text, said.link].filter(Boolean).join("\n")
  if (said.visible === "only-me" && !text) {
    toast(T("{{.Name}}: done.", { Name: name }))
    return
  }
  if (said.visible === "only-me") {
    takeNotice(c.id, [T("{{.Name}}:", { Name: name }), text, said.note].filter(Boolean).join("\n"))
  }
  if (current.peek()?.conversation === c.id) return
  const show = () => go({ view: "conversation", conversation: c.id })
  toast(T("{{.Name}} has answered in {{.Conversation}}.", { Name: name, Conversation: c.name }),
    { act: { label: T("Show"), do: show } })
}

/** use is ask for an action without a comment, while one goes on. */
async function use(c: Conversation, m: Message, a: ProgramAct): Promise<void> {
  const done = toast(T("{{.Name}}: the program is asked …", { Name: nameOf(a) }))
  try {
    await ask(c, m, a, "")
    done()
  } catch (err) {
    done()
    toast(T("{{.Name}}: {{.Text}}", { Name: nameOf(a), Text: detailOf(err) }),
      { error: true, act: { label: T("Try again"), do: () => void use(c, m, a) } })
  }
}

/** ProgramDialog asks for the comment. What is written is kept until the program has taken it. */
export function ProgramDialog({ conversation: c, message: m, act: a }: {
  conversation: Conversation
  message: Message
  act: ProgramAct
}) {
  const kept = `comment/${a.id}/${m.id}`
  const [comment, setComment] = useState(read(kept) ?? "")
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const on = (text: string) => {
    setComment(text)
    write(kept, text || undefined)
  }
  const submit = async () => {
    if (busy) return
    setBusy(true)
    setProblem("")
    try {
      await ask(c, m, a, comment.trim())
      write(kept, undefined)
      if (asking.peek()?.what === "program") close()
    } catch (err) {
      setProblem(detailOf(err))
    }
    setBusy(false)
  }
  const text = summaryOf(m)
  return (
    <Dialog title={nameOf(a)} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" aria-disabled={busy}>{busy ? T("The program is asked …") : T("Send")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      <blockquote class="quoted" dir="auto">
        {m.by && <b>{m.by.name}</b>} {text.length > 300 ? text.slice(0, 300) + "…" : text}
      </blockquote>
      <Text label={T("Comment")} value={comment} onInput={on} max={2000} rows={3} first optional
        hint={T("The program is told your name and your comment.")} />
    </Dialog>
  )
}
