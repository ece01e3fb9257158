// Reminders: of messages by their menu, and of anything by "/remind".

import { call, detailOf, Problem } from "./api"
import { T } from "./i18n"
import { deleteScheduled, momentText, takeMade, type Scheduled } from "./later"
import { openMenu } from "./menu"
import { momentsFrom } from "./moments"
import { asking } from "./panes"
import { whenText } from "./time"
import { toast } from "./toast"
import type { Conversation, Message } from "./types"
import { reminderOf } from "./when"

/** remind has one reminded of a text, or of a message. It throws a Problem. */
export async function remind(at: Date,
  of: { text: string } | { conversation: string; message: string }): Promise<void> {
  const made = await takeMade(call<Scheduled>("POST", "/reminders", { at: at.toISOString(), ...of }))
  toast(T("You will be reminded {{.When}}.", { When: whenText(made.at) }),
    { act: { label: T("Undo"), do: () => void deleteScheduled(made.id).catch(failed) } })
}

function failed(err: unknown): void {
  toast(detailOf(err), { error: true })
}

/** openReminders offers times to be reminded of a message. */
export function openReminders(c: Conversation, m: Message, spot: Element): void {
  const of = { conversation: c.id, message: m.id }
  openMenu(spot, T("Remind me about this"), [
    ...momentsFrom(new Date()).map((when) => ({ label: momentText(when), detail: whenText(when.at), icon: "clock",
      do: () => void remind(when.at, of).catch(failed) })),
    { label: T("Choose a day and a time"), icon: "calendar", line: true,
      do: () => { asking.value = { what: "later", about: of } } },
  ])
}

/** remindCommand does "/remind". What is not clear is refused with what can be written, and stays in the field. */
export async function remindCommand(text: string): Promise<void> {
  const asked = reminderOf(text, new Date())
  if (!asked) {
    throw new Problem(422, T("Write when and of what, such as “/remind tomorrow 9:00 to call Bob”."))
  }
  await remind(asked.at, { text: asked.rest })
}
