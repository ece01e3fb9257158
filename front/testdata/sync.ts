// Runs what becomes of drafts and of the order of favourites. Each case is answered at its place.
import "./browser"
import { whatOf } from "../src/draftsync"
import { moved } from "../src/sidebar"
import { answer } from "./script"

interface Input {
  drafts: { local: string; synced?: string; at?: string; remote: string; then: string }[]
  moves: { list: string[]; value: string; by: 1 | -1 }[]
}

await answer((input: Input) => ({
  drafts: input.drafts.map((d) => {
    const synced = d.synced === undefined ? undefined : { text: d.synced, at: d.at ?? "" }
    return whatOf(d.local, synced, { text: d.remote, at: d.then })
  }),
  moves: input.moves.map((m) => moved(m.list, m.value, m.by).join("")),
}))
// Modules of the front have timers that go on.
;(globalThis as unknown as { process: { exit(code: number): void } }).process.exit(0)
