// A task, as a card in the conversation and as a line of a list.

import { useState } from "preact/hooks"
import "./tasks.css"
import { detailOf } from "./api"
import { T } from "./i18n"
import { asking } from "./panes"
import { href } from "./route"
import { changeTask, deleteTask, mayChange, mayDelete, overdue, taskNow } from "./tasks"
import type { Task } from "./types"
import { clock, dayName, Icon, Menu, moment, toast, until, type MenuItem } from "./ui"

/** TaskCard shows a task, with a box to tick it off. listed is a line of a list: it says where the task is. */
export function TaskCard({ task, listed }: { task: Task; listed?: boolean }) {
  const t = taskNow(task)
  if (!t) return listed ? null : <p class="removed"><Icon name="trash-2" /> {T("This task was deleted.")}</p>
  return (
    <div class={"task" + (t.done ? " done" : "") + (listed ? " listed" : "")}>
      <Tick task={t} />
      <div class="grow">
        <b class="task-what" dir="auto">{t.what}</b>
        <Facts task={t} listed={listed ?? false} />
      </div>
      {mayChange(t) && <Menu label={T("Options of the task {{.What}}", { What: t.what })} icon="ellipsis"
        items={() => optionsOf(t)} />}
    </div>
  )
}

function Tick({ task: t }: { task: Task }) {
  const [busy, setBusy] = useState(false)
  const tick = async (done: boolean) => {
    if (busy) return
    setBusy(true)
    try {
      await changeTask(t.id, { done })
    } catch (err) {
      toast(detailOf(err), { error: true })
    }
    setBusy(false)
  }
  return (
    <input type="checkbox" class="task-tick" checked={t.done !== undefined} disabled={!mayChange(t)} aria-busy={busy}
      aria-label={T("Done: {{.What}}", { What: t.what })}
      onClick={(e) => { e.preventDefault(); void tick(t.done === undefined) }} />
  )
}

/** Facts says for whom a task is, until when, and where. */
function Facts({ task: t, listed }: { task: Task; listed: boolean }) {
  const late = overdue(t)
  return (
    <ul class="task-facts">
      {t.done && <li><Icon name="circle-check" />{doneText(t.done, t.doneBy?.name)}</li>}
      {t.for && <li><Icon name="user" /><span dir="auto">{T("For {{.Name}}", { Name: t.for.name })}</span></li>}
      {t.due && !t.done && (
        <li class={late ? "late" : undefined} title={moment(t.due)}>
          <Icon name={late ? "circle-alert" : "clock"} />
          {late ? T("Overdue since {{.Time}}", { Time: whenText(t.due) })
            : T("Until {{.Time}}", { Time: whenText(t.due) })}
        </li>
      )}
      {t.link && (
        <li><Icon name="external-link" />
          <a href={t.link} target="_blank" rel="noopener noreferrer" dir="ltr">{hostOf(t.link)}</a></li>
      )}
      {listed && t.where && t.conversation && (
        <li><Icon name="message-circle" />
          <a dir="auto" href={href({ view: "conversation", conversation: t.conversation,
            ...(t.message === undefined ? {} : { message: t.message }) })}>{t.where}</a></li>
      )}
    </ul>
  )
}

function doneText(at: string, name: string | undefined): string {
  const Time = whenText(at)
  return name ? T("Done by {{.Name}}, {{.Time}}", { Name: name, Time }) : T("Done {{.Time}}", { Time })
}

/** whenText gives a time today, else a day with a time, and its year unless it is this one. */
function whenText(at: string): string {
  const sameYear = new Date(at).getFullYear() === new Date().getFullYear()
  return sameYear ? until(at) : `${dayName(at)}, ${clock(at)}`
}

/** hostOf names where a link leads, with the beginning of its path. */
function hostOf(link: string): string {
  try {
    const url = new URL(link)
    const text = url.host + url.pathname.replace(/\/$/, "")
    return text.length > 60 ? text.slice(0, 59) + "…" : text
  } catch {
    return link
  }
}

function optionsOf(t: Task): MenuItem[] {
  const items: MenuItem[] = [
    { label: T("Edit"), icon: "pencil", do: () => { asking.value = { what: "task", task: t } } },
  ]
  if (mayDelete(t)) {
    items.push({ label: T("Delete"), icon: "trash-2", danger: true, line: true, do: () => void remove(t) })
  }
  return items
}

async function remove(t: Task): Promise<void> {
  if (!confirm(T("Delete the task “{{.What}}”?", { What: t.what }))) return
  try {
    await deleteTask(t.id)
  } catch (err) {
    toast(detailOf(err), { error: true })
  }
}
