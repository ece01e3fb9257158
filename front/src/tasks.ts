// Tasks: what people of a conversation are to do. The server keeps them; here is what has changed since they were
// loaded.

import { signal } from "@preact/signals"
import { at, call, query } from "./api"
import { settle, told } from "./late"
import { conversations, me } from "./store"
import type { Task } from "./types"

const most = 5000

/** latest has tasks that were told of, by id; null is one that is gone. */
const latest = signal<ReadonlyMap<string, Task | null>>(new Map())

/** changes counts what was told of tasks, for lists to load anew. */
export const changes = signal(0)

/** taskNow gives a task as it is now: undefined if it is gone. */
export function taskNow(t: Task): Task | undefined {
  const now = latest.value.get(t.id)
  if (now === null) return undefined
  // An event does not say where a task is: the list it was loaded with does.
  return now ? { ...now, ...(t.where === undefined ? {} : { where: t.where }) } : t
}

/** takeTask notes what an event or an answer says of a task. */
export function takeTask(id: string, t: Task | null): void {
  const next = new Map(latest.peek()).set(id, t)
  const [oldest] = next.keys()
  if (next.size > most && oldest !== undefined) next.delete(oldest)
  latest.value = next
  changes.value++
  told("task " + id)
}

/** takeAnswer notes what an answer says of a task, unless an event knows better. */
function takeAnswer(asked: Promise<Task>): Promise<Task> {
  return settle(asked, (t, newer) => {
    if (!newer("task " + t.id)) takeTask(t.id, t)
  })
}

/** forgetTasks drops what was told, when the browser may have missed something. */
export function forgetTasks(): void {
  latest.value = new Map()
  changes.value++
}

/** TaskFields is what one says of a task. due is a time as in RFC 3339. */
export interface TaskFields { what: string; for: string; due: string; link: string }

/** makeTask makes a task. It throws a Problem. */
export async function makeTask(conversation: string, t: TaskFields, message?: string): Promise<void> {
  const body: Record<string, string> = { what: t.what }
  if (t.for) body["for"] = t.for
  if (t.due) body["due"] = t.due
  if (t.link) body["link"] = t.link
  if (message) body["message"] = message
  await takeAnswer(call<Task>("POST", at(conversation, "tasks"), body))
}

/** changeTask changes some of a task. It throws a Problem. */
export async function changeTask(id: string, change: Partial<TaskFields> & { done?: boolean }): Promise<void> {
  await takeAnswer(call<Task>("PATCH", "/tasks/" + encodeURIComponent(id), change))
}

/** deleteTask deletes a task. It throws a Problem. */
export async function deleteTask(id: string): Promise<void> {
  await call("DELETE", "/tasks/" + encodeURIComponent(id))
  takeTask(id, null)
}

/** Which is a list of one's own tasks. */
export type Which = "open" | "done" | "made"

/** TaskPage is a part of a list. */
export interface TaskPage { tasks: Task[]; more?: string }

/** loadMine loads one's own tasks. */
export function loadMine(which: Which, before?: string): Promise<TaskPage> {
  return call<TaskPage>("GET", "/tasks" + query({ which, before }))
}

/** loadIn loads the tasks of a conversation. */
export function loadIn(conversation: string, done: boolean, before?: string): Promise<TaskPage> {
  return call<TaskPage>("GET", at(conversation, "tasks") + query({ done: done ? "true" : undefined, before }))
}

/** loadTask loads one task. */
export function loadTask(id: string): Promise<Task> {
  return call<Task>("GET", "/tasks/" + encodeURIComponent(id))
}

/** mayChange says whether one may change a task: who may write in its conversation. */
export function mayChange(t: Task): boolean {
  return t.conversation === undefined || (conversations.value.get(t.conversation)?.write ?? true)
}

/** mayDelete says whether one may delete a task. */
export function mayDelete(t: Task): boolean {
  const c = t.conversation === undefined ? undefined : conversations.value.get(t.conversation)
  const mine = t.by?.id === (c?.me ?? me.value.address)
  return mayChange(t) && (t.by === undefined || mine || c?.manage === true)
}

/** overdue says whether the deadline of an open task has passed. */
export function overdue(t: Task): boolean {
  return t.done === undefined && t.due !== undefined && Date.parse(t.due) < Date.now()
}
