// Lists of tasks: one's own, and those of a conversation.

import { useEffect, useRef, useState } from "preact/hooks"
import { detailOf } from "./api"
import { Failure } from "./fields"
import { T } from "./i18n"
import { href } from "./route"
import { TaskCard } from "./taskcard"
import { newTask } from "./taskdialog"
import { changes, loadIn, loadMine, loadTask, type TaskPage, type Which } from "./tasks"
import type { Conversation, Task } from "./types"
import { Icon } from "./ui"

/** TasksView is the page of one's own tasks, or of one task. */
export function TasksView({ task }: { task?: string }) {
  const [which, setWhich] = useState<Which>("open")
  if (task !== undefined) return <OneTask key={task} id={task} />
  const lists: readonly [Which, string][] = [
    ["open", T("To do")], ["done", T("Done")], ["made", T("Made by me")],
  ]
  return (
    <section class="page" aria-labelledby="tasks">
      <header class="page-head"><h1 id="tasks">{T("Tasks")}</h1></header>
      <div class="task-choice" role="group" aria-label={T("Which tasks")}>
        {lists.map(([value, label]) => (
          <button key={value} type="button" aria-pressed={which === value} onClick={() => setWhich(value)}>
            {label}
          </button>
        ))}
      </div>
      <List key={which} listed load={(before) => loadMine(which, before)} empty={emptyText(which)} />
    </section>
  )
}

function emptyText(which: Which): string {
  switch (which) {
    case "open": return T("Nothing is left for you to do. Make a task in the menu of a message.")
    case "done": return T("You have done no task yet.")
    case "made": return T("You have made no task yet. Make one in the menu of a message.")
  }
}

/** ConversationTasks lists the tasks of a conversation in its details. */
export function ConversationTasks({ c }: { c: Conversation }) {
  const [done, setDone] = useState(false)
  return (
    <section>
      <div class="task-head">
        <h3 id="about-tasks">{T("Tasks")}</h3>
        {c.write && (
          <button type="button" class="small-button" onClick={() => newTask(c.id)}>
            <Icon name="plus" />{T("New task")}
          </button>
        )}
      </div>
      <List key={c.id + done} labelled="about-tasks" load={(before) => loadIn(c.id, done, before)}
        keep={(t) => (t.done !== undefined) === done}
        empty={done ? T("No task is done.") : T("Nothing is to be done.")} />
      <button type="button" class="link small" onClick={() => setDone(!done)}>
        {done ? T("Show what is to be done") : T("Show what is done")}
      </button>
    </section>
  )
}

/** List loads tasks, and again when it hears of others. */
function List({ load, listed, labelled, empty, keep }: {
  load: (before?: string) => Promise<TaskPage>
  listed?: boolean
  labelled?: string
  empty: string
  keep?: (t: Task) => boolean
}) {
  const [page, setPage] = useState<TaskPage>()
  const [problem, setProblem] = useState("")
  const told = changes.value
  const asked = useRef(0)
  const ask = (before?: string) => {
    const mine = ++asked.current
    load(before).then((p) => {
      if (mine !== asked.current) return // the list is loaded anew
      setPage((was) => before === undefined ? p : { ...p, tasks: [...(was?.tasks ?? []), ...p.tasks] })
      setProblem("")
    }, (err) => { if (mine === asked.current) setProblem(detailOf(err)) })
  }
  useEffect(() => {
    ask()
    return () => { asked.current++ }
  }, [told])
  const tasks = (page?.tasks ?? []).filter((t) => keep?.(t) ?? true)
  return (
    <>
      <Failure text={problem} />
      <ul class="task-list" aria-labelledby={labelled} aria-label={labelled ? undefined : T("Tasks")}
        aria-busy={page === undefined}>
        {tasks.map((t) => <li key={t.id}><TaskCard task={t} listed={listed ?? false} /></li>)}
      </ul>
      {page && !tasks.length && <p class="muted" role="status">{empty}</p>}
      {page?.more && <button type="button" onClick={() => ask(page.more)}>{T("Older tasks")}</button>}
    </>
  )
}

/** OneTask is the page of a task, to which messages of other programs lead. */
function OneTask({ id }: { id: string }) {
  const [task, setTask] = useState<Task>()
  const [problem, setProblem] = useState("")
  useEffect(() => {
    loadTask(id).then(setTask, (err) => setProblem(detailOf(err)))
  }, [id])
  return (
    <section class="page" aria-labelledby="task">
      <header class="page-head"><h1 id="task">{T("Task")}</h1></header>
      <Failure text={problem} />
      {task ? <TaskCard task={task} listed /> : !problem && <p class="muted" role="status">{T("Loading …")}</p>}
      <p><a href={href({ view: "tasks" })}>{T("All my tasks")}</a></p>
    </section>
  )
}
