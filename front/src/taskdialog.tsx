// The dialog in which one makes or changes a task.

import { useState } from "preact/hooks"
import { at, call, detailOf, query } from "./api"
import { Failure, Text } from "./fields"
import { Chosen } from "./findfilters"
import { fold } from "./fold"
import { T } from "./i18n"
import { asking, close } from "./panes"
import type { Load } from "./picker"
import { conversations, me } from "./store"
import { changeTask, makeTask, type TaskFields } from "./tasks"
import type { Conversation, Message, People, Task } from "./types"
import { dayKey, Dialog } from "./ui"

/** newTask asks for a task in a conversation: with a text, or of a message, which has an id. */
export function newTask(conversation: string, of: Pick<Message, "text"> & Partial<Message> = { text: "" }): void {
  const first = of.text.split("\n").find((line) => line.trim()) ?? ""
  asking.value = { what: "task", conversation, text: [...first.trim()].slice(0, 200).join(""),
    ...(of.id === undefined ? {} : { message: of.id }) }
}

/** TaskDialog is the dialog: for a new task in a conversation, or for one that exists. */
export function TaskDialog({ conversation, message, text, task }: {
  conversation?: string
  message?: string
  text?: string
  task?: Task
}) {
  const id = task?.conversation ?? conversation
  const c = id === undefined ? undefined : conversations.value.get(id)
  const [what, setWhat] = useState(task?.what ?? text ?? "")
  const [whom, setWhom] = useState(task?.for?.id ?? "")
  const [day, setDay] = useState(task?.due ? dayKey(task.due) : "")
  const [hour, setHour] = useState(task?.due ? hourOf(task.due) : "17:00")
  const [link, setLink] = useState(task?.link ?? "")
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")
  const submit = async () => {
    if (busy || !what.trim()) return
    setBusy(true)
    try {
      const fields: TaskFields = { what: what.trim(), for: whom, due: dueOf(day, hour), link: link.trim() }
      if (task) await changeTask(task.id, differing(task, fields))
      else await makeTask(conversation!, fields, message)
      close()
    } catch (err) {
      setProblem(detailOf(err))
      setBusy(false)
    }
  }
  return (
    <Dialog title={task ? T("Edit the task") : T("New task")} onClose={close} onSubmit={() => void submit()} foot={<>
      <button class="primary" disabled={busy || !what.trim()}>{task ? T("Save") : T("Make the task")}</button>
      <button type="button" onClick={close}>{T("Cancel")}</button>
    </>}>
      <Failure text={problem} />
      <Text label={T("What is to be done")} value={what} onInput={setWhat} max={200} first />
      {c && <For c={c} task={task} value={whom} onValue={setWhom} />}
      <fieldset class="field task-due">
        <legend>{T("Until when")} <span class="optional">{T("(optional)")}</span></legend>
        <input type="date" aria-label={T("Day")} value={day} onInput={(e) => setDay(e.currentTarget.value)} />
        <input type="time" aria-label={T("Time")} value={hour} disabled={!day}
          onInput={(e) => setHour(e.currentTarget.value)} />
        <p class="hint">{T("Who is to do it is reminded then.")}</p>
      </fieldset>
      <Text label={T("Link to a ticket or a project")} value={link} onInput={setLink} max={2000} optional />
    </Dialog>
  )
}

/** For chooses whom a task is for: of two people one of them; in a room a member, where people know each other. */
function For({ c, task, value, onValue }: {
  c: Conversation
  task: Task | undefined
  value: string
  onValue: (id: string) => void
}) {
  const nobody = T("Nobody in particular")
  if (c.kind !== "person" && c.me === me.value.address) {
    const known = task?.for && task.for.id === value ? task.for.name : value === c.me ? me.value.name : undefined
    return <Chosen label={T("For whom")} any={nobody} value={value} load={membersOf(c)} onValue={onValue}
      clear={nobody} {...(known === undefined ? {} : { name: known })} />
  }
  return (
    <div class="field">
      <label for="task-for">{T("For whom")}</label>
      <select id="task-for" value={value} onChange={(e) => onValue(e.currentTarget.value)}>
        <option value="">{nobody}</option>
        <option value={c.me}>{T("{{.Name}} (you)", { Name: me.value.name })}</option>
        {c.kind === "person" && c.id !== c.me && <option value={c.id}>{c.name}</option>}
        {task?.for && task.for.id !== c.me && task.for.id !== c.id && (
          <option value={task.for.id}>{task.for.name}</option>
        )}
      </select>
    </div>
  )
}

/** membersOf finds the people of a conversation, oneself first. */
function membersOf(c: Conversation): Load {
  return async (words, cancel) => {
    const path = at(c.id, "people") + query({ q: words.trim(), limit: 20 })
    const found = await call<People>("GET", path, undefined, cancel)
    const others = found.people.filter((p) => p.address && p.id !== c.me)
    const own = me.peek()
    const first = words && !fold(own.name).includes(fold(words.trim())) ? []
      : [{ id: c.me, name: T("{{.Name}} (you)", { Name: own.name }), photo: own.photo }]
    const choices = [...first, ...others.map((p) => ({ id: p.id, name: p.name, detail: p.address, photo: p.photo }))]
    return { choices, more: found.total > found.people.length }
  }
}

/** dueOf gives a time here as in RFC 3339, with the zone of the browser, so that who reads it as text knows. */
function dueOf(day: string, hour: string): string {
  if (!day) return ""
  const d = new Date(`${day}T${hour || "17:00"}`)
  if (Number.isNaN(d.getTime())) return ""
  const ahead = -d.getTimezoneOffset()
  const two = (n: number) => String(n).padStart(2, "0")
  const zone = `${ahead < 0 ? "-" : "+"}${two(Math.floor(Math.abs(ahead) / 60))}:${two(Math.abs(ahead) % 60)}`
  return `${day}T${two(d.getHours())}:${two(d.getMinutes())}:00${zone}`
}

function hourOf(at: string): string {
  const d = new Date(at)
  return `${String(d.getHours()).padStart(2, "0")}:${String(d.getMinutes()).padStart(2, "0")}`
}

/** differing gives the fields that are not as they were: others may change the rest at the same time. */
function differing(t: Task, now: TaskFields): Partial<TaskFields> {
  const out: Partial<TaskFields> = {}
  if (now.what !== t.what) out.what = now.what
  if (now.for !== (t.for?.id ?? "")) out.for = now.for
  if (now.link !== (t.link ?? "")) out.link = now.link
  const before = t.due ? Date.parse(t.due) : 0
  if ((now.due ? Date.parse(now.due) : 0) !== before - before % 60_000) out.due = now.due
  return out
}
