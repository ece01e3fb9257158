// The command "/status": what one is, a text, and until when.

import { tellStatus } from "./acts"
import { showText, statusText } from "./avatar"
import { fold } from "./fold"
import { T } from "./i18n"
import { me } from "./store"
import { toast } from "./toast"
import type { Status } from "./types"
import { statusOf } from "./when"

/** statusCommand sets one's status. It throws a Problem, and then what was written stays. */
export async function statusCommand(text: string): Promise<void> {
  const asked = statusOf(text, new Date())
  const now = me.peek().status?.show
  const status: Status = { show: asked.show ?? (now && now !== "offline" ? now : "available") }
  if (asked.text) status.text = asked.text
  if (asked.until) status.until = asked.until.toISOString()
  await tellStatus(status)
  toast(T("Your status: {{.Status}}", { Status: statusText(me.value.status) }))
}

/** StatusLine is something that one may write after "/status", with what it does. */
export interface StatusLine { text: string; about: string }

/** statusLines are those that begin with what is written already. A line that is whole is not among them. */
export function statusLines(written: string): StatusLine[] {
  const begun = fold(written)
  const hour = T("for an hour")
  const all: StatusLine[] = [
    { text: "available", about: showText("available") },
    { text: "away", about: showText("away") },
    { text: "dnd", about: showText("dnd") },
    { text: "dnd 1h", about: `${showText("dnd")}, ${hour}` },
    { text: T("in a meeting until 15:00"), about: T("A text, and when it ends") },
    { text: "clear", about: T("No status any more") },
  ]
  return all.filter((line) => fold(line.text).startsWith(begun) && fold(line.text) !== begun.trim())
}
