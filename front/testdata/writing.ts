// Runs what the field does with a text outside a browser. Each case is answered at its place.
import { idAt } from "../src/ids"
import { beginning } from "../src/beginning"
import { linkIn } from "../src/linkin"
import { mentionsIn } from "../src/mentions"
import { triggerAt } from "../src/trigger"
import { answer } from "./script"

interface Input {
  mentions: { text: string; names: Record<string, string> }[]
  triggers: string[] // | is the caret
  links: string[]
  marks: { sure: boolean; read: string }[]
  moments: number[] // ms since 1970
}

await answer((input: Input) => ({
  mentions: input.mentions.map((m) => {
    const points = Array.from(m.text)
    return mentionsIn(m.text, m.names).map((x) => `${points.slice(x.begin, x.end).join("")}=${x.address}`).join(" ")
  }),
  triggers: input.triggers.map((text) => {
    const found = triggerAt(text.replace("|", ""), text.indexOf("|"))
    return found ? `${found.kind} ${found.begin}-${found.end} ${found.query}` : ""
  }),
  links: input.links.map((text) => linkIn(text, "https://chat.example") ?? ""),
  beginnings: input.marks.map((_, i) => input.marks.slice(0, i + 1).reduce<ReturnType<typeof beginning> | undefined>(
    (b, m) => beginning(b, m.sure, m.read), undefined)?.read),
  ids: input.moments.map((ms) => idAt(new Date(ms))),
}))
