// Reads times as people write them, as of a Monday. Each case is answered at its place.
import "./browser"
import { momentsFrom } from "../src/moments"
import { reminderOf, statusOf } from "../src/when"
import { answer } from "./script"

const two = (n: number) => String(n).padStart(2, "0")
const local = (d: Date) => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
  `${two(d.getHours())}:${two(d.getMinutes())}`
const now = new Date(2026, 10, 30, 14, 5)

await answer((input: { reminders: string[]; statuses: string[] }) => ({
  reminders: input.reminders.map((s) => {
    const r = reminderOf(s, now)
    return r ? `${local(r.at)} ${r.rest}` : ""
  }),
  statuses: input.statuses.map((s) => {
    const r = statusOf(s, now)
    return `${r.show ?? "-"}|${r.text}|${r.until ? local(r.until) : ""}`
  }),
  moments: [now, new Date(2026, 11, 6, 20, 0)].map((at) =>
    momentsFrom(at).map((m) => `${m.key} ${local(m.at)}`).join(", ")),
}))
