// Has the front ask the server for something, tells it of something newer by an event, and only then gives the answer.
import "./browser"
import { answer } from "./script"
import type { Conversation, Me, Task } from "../src/types"

const kept = new Map<string, string>()
let release: (body: unknown) => void = () => undefined
let whenAsked: (what: string) => void = () => undefined
Object.assign(globalThis, {
  localStorage: {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
    key: (i: number) => [...kept.keys()][i],
    get length() { return kept.size },
  },
  fetch: (address: string, options: { method: string }) => new Promise<Response>((resolve) => {
    release = (body) => resolve(new Response(JSON.stringify(body)))
    whenAsked(`${options.method} ${address.slice("/api/v1".length)}`)
  }),
})

const { markRead, setStatus } = await import("../src/acts")
const { apply, loadConversations } = await import("../src/apply")
const { draft } = await import("../src/drafts")
const { loadDrafts } = await import("../src/draftsync")
const { history, part } = await import("../src/history")
const { deleteScheduled, loadScheduled, scheduled, takeMade } = await import("../src/later")
const { call } = await import("../src/api")
const { favourites } = await import("../src/panes")
const { isPinned, loadPins } = await import("../src/pins")
const { isSaved, loadMarks, setSaved } = await import("../src/savedmessages")
const { loadSidebar } = await import("../src/sidebar")
const { conversations, fetchOne, me, presence, replaceAll } = await import("../src/store")
const { changeTask, taskNow } = await import("../src/tasks")
const { markUnread } = await import("../src/unread")

/**
 * late has something asked for, and what happens meanwhile happen before the answer. Where it is asked for again, the
 * next answer is given.
 */
async function late(act: () => Promise<unknown>, meanwhile: () => void, ...answers: unknown[]): Promise<void> {
  let next = new Promise<string>((resolve) => { whenAsked = resolve })
  const done = act()
  let first = true
  for (const body of answers) {
    await Promise.race([next, tooLong()])
    next = new Promise<string>((resolve) => { whenAsked = resolve })
    if (first) meanwhile()
    first = false
    release(body)
    await new Promise((resolve) => setTimeout(resolve))
  }
  await done
}

function tooLong(): Promise<never> {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("it was not asked for")), 5000))
}

const last = (n: number) => ({ id: "m" + n, at: `2026-11-30T10:0${n}:00Z`, text: "text " + n })
const room = { id: "r", kind: "room", name: "Room", me: "anna@a.example", unread: 0, mentions: 0, write: true, manage: false,
  startsThemes: false, react: true, notify: "all", read: "m1", last: last(1) } as const
const said = (n: number) => apply("message", { conversation: "r", fresh: true,
  message: { id: "m" + n, at: last(n).at, by: { id: "bob@a.example", name: "Bob" }, text: "text " + n } })
const mentioned = (n: number) => apply("mention", { conversation: "r", message: "m" + n })
const now = () => {
  const c = conversations.peek().get("r")
  return c && `${c.name}, read ${c.read}, ${c.unread} unread, ${c.mentions} mentions, last ${c.last?.id}`
}
const begin = (...all: Conversation[]) => replaceAll(all)
const self = (show: "available" | "away" | "dnd"): Me => ({ address: "anna@a.example", name: "Anna", status: { show } })
const task = (what: string): Task => ({ id: "t", what, at: "2026-11-30T10:00:00Z" })
const one = (id: string, text: string) => ({ id, kind: "message", at: "2026-12-01T10:00:00Z", text }) as const

const cases: Record<string, () => Promise<unknown>> = {
  async "one conversation"() {
    begin(room)
    await late(() => fetchOne("r"), () => { said(2); apply("conversation", { id: "r", name: "Hall" }) },
      room, { ...room, name: "Hall", unread: 1, last: last(2) })
    return now()
  },
  async "one that is not known yet"() {
    begin()
    await late(() => fetchOne("r"), () => said(2), room, { ...room, unread: 1, last: last(2) })
    return now()
  },
  async "one that is gone"() {
    begin(room)
    await late(() => fetchOne("r"), () => apply("gone", { conversation: "r" }), room)
    return now() ?? "gone"
  },
  async "all conversations"() {
    begin({ ...room, unread: 1, mentions: 1, last: last(2) })
    await late(loadConversations, () => {
      markRead("r", "m2")
      apply("me", self("dnd"))
      said(3)
      mentioned(2)
      mentioned(3)
    }, { me: self("away"), conversations: [{ ...room, unread: 1, mentions: 1, last: last(2) }] })
    return `${now()}, ${me.peek().status?.show}`
  },
  async "all conversations, asked for after one that answers first"() {
    begin(room)
    const before = fetchOne("r")
    const releaseOne = release
    await late(loadConversations, () => undefined, { me: self("away"), conversations: [{ ...room, unread: 2, last: last(3) }] })
    releaseOne({ ...room, unread: 1, last: last(2) })
    await before
    return now()
  },
  async "what was read"() {
    begin({ ...room, unread: 2, last: last(2) })
    await late(async () => {
      markRead("r", "m2")
      await new Promise((resolve) => setTimeout(resolve, 500))
    }, () => said(3), { unread: 0, mentions: 0 })
    return now()
  },
  async "an event of an earlier mark"() {
    begin({ ...room, unread: 2, last: last(3) })
    markRead("r", "m3")
    apply("read", { conversation: "r", read: "m2", unread: 1, mentions: 0 })
    const then = now()
    await late(() => new Promise((resolve) => setTimeout(resolve, 500)), () => undefined, { unread: 0, mentions: 0 })
    return then
  },
  async "what was marked as unread"() {
    begin({ ...room, read: "m2", last: last(2) })
    const m = { ...last(2), by: { id: "bob@a.example", name: "Bob" } }
    await late(() => markUnread("r", m),
      () => apply("read", { conversation: "r", read: "m3", unread: 0, mentions: 0 }), { read: "m1", unread: 1, mentions: 0 })
    return now()
  },
  async "one's status"() {
    await late(() => setStatus({ show: "away" }), () => apply("me", self("dnd")), self("away"))
    return me.peek().status?.show
  },
  async "somebody's presence"() {
    const bob: Conversation = { ...room, id: "bob@a.example", kind: "person", status: { show: "available" } }
    begin()
    await late(() => fetchOne(bob.id), () => apply("presence", { address: bob.id, status: { show: "away" } }), bob)
    apply("message", { conversation: bob.id, fresh: true, message: { ...last(5), by: { id: bob.id, name: "Bob" } } })
    return presence.peek().get(bob.id)?.show
  },
  async "a task"() {
    await late(() => changeTask("t", { what: "mine" }), () => apply("task", { task: task("theirs") }), task("mine"))
    return taskNow(task("old"))?.what
  },
  async "a task that is gone"() {
    await late(() => changeTask("t", { what: "mine" }), () => apply("task", { gone: "t" }), task("mine"))
    return taskNow(task("old"))?.what ?? "gone"
  },
  async "pins"() {
    await late(() => loadPins("r"), () => apply("pins", { conversation: "r", pinned: ["m2"] }), { pins: [] })
    return isPinned("r", "m2")
  },
  async "pins of a page"() {
    apply("pins", { conversation: "r", pinned: [] })
    begin(room)
    await late(() => part("r").toNewest(), () => apply("pins", { conversation: "r", pinned: ["m2"] }),
      { messages: [], older: false, newer: false })
    return isPinned("r", "m2") && history("r").error.peek() === undefined
  },
  async "what is saved"() {
    await late(loadMarks, () => {
      apply("saved", { conversation: "r", id: "m1", saved: false })
      apply("saved", { conversation: "r", id: "m2", saved: true })
    }, { saved: [{ conversation: "r", id: "m1" }, { conversation: "r", id: "m3" }] })
    return [1, 2, 3].map((n) => isSaved("r", "m" + n)).join()
  },
  async "a message that is saved"() {
    await late(() => setSaved("r", "m4", true), () => apply("saved", { conversation: "r", id: "m4", saved: false }), null)
    return isSaved("r", "m4")
  },
  async "what is scheduled"() {
    await late(loadScheduled, () => {
      apply("scheduled", { gone: "a" })
      apply("scheduled", { scheduled: one("b", "newer") })
    }, { scheduled: [one("a", "sent"), one("b", "older"), one("c", "same")] })
    return scheduled.peek().map((x) => x.id + " " + x.text).sort().join()
  },
  async "one that is sent at once"() {
    await late(() => takeMade(call("POST", "/reminders")), () => apply("scheduled", { gone: "d" }), one("d", "sent"))
    await late(() => deleteScheduled("b"), () => undefined, null)
    return scheduled.peek().map((x) => x.id).sort().join()
  },
  async "the tree"() {
    const tree = (...ids: string[]) => ({ kept: true, favourites: ids, byName: true, folded: [] })
    apply("sidebar", tree("a"))
    await late(loadSidebar, () => apply("sidebar", tree("b")), tree("a"))
    return favourites.peek().join()
  },
  async "drafts"() {
    await late(loadDrafts, () => apply("draft", { conversation: "r", text: "newer", at: "2026-11-30T10:00:01Z" }),
      { drafts: [] })
    return draft("r").peek()
  },
}

const got: Record<string, unknown> = {}
for (const [name, run] of Object.entries(cases)) {
  got[name] = await run().catch((err) => String(err))
}
await answer(() => got)
// Modules of the front have timers that go on.
;(globalThis as unknown as { process: { exit(code: number): never } }).process.exit(0)
