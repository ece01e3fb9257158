// Reads the events behind a proxy that gives answers only as a whole: an answer that does not end never comes. Time runs
// a hundred times as fast.
import "./browser"
import { answer } from "./script"

const events = "/api/v1/events"
const asked: string[] = []
const got: string[] = []

const wait = setTimeout
Object.assign(globalThis, {
  window: globalThis,
  BroadcastChannel: undefined,
  setTimeout: (act: () => void, ms = 0) => wait(act, ms / 100),
  fetch: (address: string, options: { headers: Record<string, string>; signal?: AbortSignal }) => {
    if (!address.startsWith(events) || address.includes("confirm")) return Promise.resolve(new Response("{}"))
    asked.push(address.slice(events.length) + " after " + (options.headers["Last-Event-ID"] ?? "nothing"))
    const body = answers[asked.length - 1]
    if (body !== undefined) return Promise.resolve(new Response(body))
    return new Promise((_, reject) => options.signal?.addEventListener("abort", () => reject(new Error("aborted"))))
  },
})
Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true })
delete (globalThis as { BroadcastChannel?: unknown }).BroadcastChannel

// The first request is held. Then two answers come whole, and the third is held.
const answers: (string | undefined)[] = [
  undefined,
  'id: a-0\nevent: hello\ndata: {"epoch":"a"}\n\n',
  "id: a-0\nevent: hello\ndata: {}\n\nid: a-1\nevent: read\ndata: {}\n\n",
]

const { listen } = await import("../src/events")
listen((name) => got.push(name))
await new Promise((resolve) => wait(resolve, 1000))
await answer(() => ({ asked: asked.slice(0, 4), got }))
;(globalThis as unknown as { process: { exit(code: number): never } }).process.exit(0)
