// The stream of events. All tabs of a browser share one, because HTTP/1.1 allows six connections to a server: the tab
// that holds a lock reads it and tells the others. When it goes, another takes over where it was.

import { batch } from "@preact/signals"
import { call, sessionOver } from "./api"
import { isIdle } from "./idle"
import { readEvents, type Raw } from "./sse"
import { line, me, type Line } from "./store"
import type { Me } from "./types"
import { anyVisible, watchVisible } from "./visible"

const address = "/api/v1/events"
const confirmEvery = 25_000
const silence = 40_000 // ms without a beat: the line is dead
const patience = 10_000 // ms without the first events: something on the way gives answers only as a whole
const shortest = 1000
const longest = 30_000

/** Handler gets each event in order; data is what the contract says for its name. */
export type Handler = (name: string, data: unknown) => void

/** Note is what tabs tell each other. */
type Note =
  | { kind: "event"; event: Raw }
  | { kind: "line"; line: Line }
  | { kind: "ask" } // a new tab wants to know the line
  | { kind: "wake" } // the browser may have slept: look at once
  | { kind: "left" } // a tab is in view no more

let last: string | undefined
let leads = false
let handler: Handler = () => undefined
let channel: BroadcastChannel | undefined
let compete: () => void = () => undefined // without locks, each tab reads for itself

/** listen has handle called for all events, in this tab as in the others. It sets line. */
export function listen(handle: Handler): void {
  handler = handle
  const name = "parley/" + me.peek().address
  if ("BroadcastChannel" in window) {
    channel = new BroadcastChannel(name)
    channel.onmessage = (e: MessageEvent<Note>) => hear(e.data)
    tell({ kind: "ask" })
  }
  compete = () => void (channel && navigator.locks ? navigator.locks.request(name, lead) : lead())
  compete()
  watchVisible(seen)
  addEventListener("online", wake)
  addEventListener("offline", () => leads && setLine("offline"))
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && wake())
  addEventListener("pageshow", (e) => e.persisted && wake())
  sessionOver.subscribe((over) => over && setLine("signedout"))
}

function tell(note: Note): void {
  channel?.postMessage(note)
}

function hear(note: Note): void {
  switch (note.kind) {
    case "event":
      if (!leads) take(note.event)
      break
    case "line":
      if (note.line === "signedout") sessionOver.value = true
      else if (sessionOver.peek()) void tryAgain()
      else if (!leads) line.value = note.line
      break
    case "ask":
      if (leads) tell({ kind: "line", line: line.peek() })
      break
    case "left":
      if (document.visibilityState === "visible") void confirmLast()
      break
    case "wake":
      if (leads) lookAtOnce()
  }
}

function setLine(to: Line): void {
  if (line.peek() === "signedout") return
  line.value = to
  if (leads || to === "signedout") tell({ kind: "line", line: to })
}

/** take hands an event to the state. One that cannot be read is left out: the stream goes on. */
function take(event: Raw): void {
  const first = last === undefined
  if (event.id !== undefined) last = event.id
  if (first) void confirmLast()
  let data: unknown
  try {
    data = JSON.parse(event.data)
  } catch {
    return
  }
  handler(event.name, data)
}

let stream: AbortController | undefined
let heard = 0
let pausing: (() => void) | undefined
let failures = 0

/** tryAgain goes on after the end of a session, if the same person has signed in meanwhile, in another tab. */
async function tryAgain(): Promise<void> {
  const now = await call<{ me: Me }>("GET", "/conversations").catch(() => undefined)
  if (!now || !sessionOver.peek()) return
  if (now.me.address !== me.peek().address) return location.reload()
  batch(() => {
    sessionOver.value = false
    line.value = "connecting"
  })
  last = undefined // so that everything is loaded anew
  compete()
}

/** lead reads the stream until the session ends. It holds the lock of the browser meanwhile. */
async function lead(): Promise<void> {
  leads = true
  while (!sessionOver.peek()) {
    const whole = await readOnce()
    if (sessionOver.peek()) break
    if (whole && polls) continue
    setLine(navigator.onLine === false || failures > 1 ? "offline" : "connecting")
    await pause()
  }
  leads = false
}

/**
 * polls is whether each answer ends after the first events: the stream was held back on its way, by a proxy that gives
 * answers as a whole. After a failure the stream is tried again.
 */
let polls = false

/** readOnce reads the stream until it ends. It says whether it ended as it should. */
async function readOnce(): Promise<boolean> {
  const mine = stream = new AbortController()
  heard = Date.now()
  const begun = heard
  let held = false
  const watch = setInterval(() => Date.now() - heard > silence && mine.abort(), 5000)
  const first = setTimeout(() => {
    held = !polls && heard === begun && navigator.onLine
    if (held) mine.abort()
  }, patience)
  const confirm = setInterval(() => void confirmLast(), confirmEvery)
  try {
    const answer = await fetch(polls ? address + "?poll=true" : address, {
      headers: { Accept: "text/event-stream", ...(last === undefined ? {} : { "Last-Event-ID": last }) },
      cache: "no-store",
      signal: mine.signal,
    })
    if (answer.status === 401) sessionOver.value = true
    if (!answer.ok || !answer.body) {
      failures++
      polls = false
      return false
    }
    // A stream that does not go on from an event may lack some.
    if (last === undefined) pass({ id: undefined, name: "reset", data: "{}" })
    await readEvents(answer.body, beat, pass)
    return true
  } catch {
    failures++ // the line is down, or was silent
    polls = held
    return held
  } finally {
    clearTimeout(first)
    clearInterval(watch)
    clearInterval(confirm)
    mine.abort()
  }
}

/**
 * confirmLast tells the server how far this browser is: a stream may look open long after a machine has gone to sleep,
 * and phones are notified once nothing is confirmed for a minute. With hidden, this browser is woken by Web Push.
 */
async function confirmLast(): Promise<void> {
  await confirm(!await anyVisible())
}

/** seen tells that this tab has come into view, or has gone: at once, for the page may be going. Others correct it. */
function seen(visible: boolean): void {
  void confirm(!visible)
  if (!visible) tell({ kind: "left" })
}

async function confirm(hidden: boolean): Promise<void> {
  if (last === undefined || sessionOver.peek()) return
  await fetch("/api/v1/events/confirm", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ last, idle: isIdle(), hidden }),
    keepalive: true,
  }).catch(() => undefined)
}

/** pass hands an event to this tab and the others. */
function pass(event: Raw): void {
  take(event)
  tell({ kind: "event", event })
}

function beat(): void {
  heard = Date.now()
  failures = 0
  setLine("online")
}

/** pause waits longer after each failure, with chance, so that all browsers do not come back at once. */
function pause(): Promise<void> {
  const most = Math.min(longest, shortest * 2 ** failures)
  const ms = shortest + Math.random() * (most - shortest)
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    pausing = () => {
      clearTimeout(timer)
      resolve()
    }
  })
}

/** wake looks after the line at once: the machine may have slept, or the network has changed. */
function wake(): void {
  if (sessionOver.peek()) void tryAgain()
  else if (leads) lookAtOnce()
  else tell({ kind: "wake" })
}

function lookAtOnce(): void {
  pausing?.()
  // A beat is missing: rather a new stream than half a minute of a dead one.
  if (Date.now() - heard > 20_000) stream?.abort()
}
