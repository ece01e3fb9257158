// Which parts of the page are open.

import { signal } from "@preact/signals"
import type { ProgramAct } from "./boot"
import { keptValue } from "./kept"
import type { Choice } from "./picker"
import type { Scheduled } from "./later"
import type { Conversation, Message, Task } from "./types"

/** about is whether the details of the conversation are shown. On a narrow window they take the place of the rest. */
export const about = signal(false)

const phone = matchMedia("(max-width: 48rem)")

/** narrow is whether the window is as narrow as a phone's: one part of the page is in view. */
export const narrow = signal(phone.matches)
phone.addEventListener("change", () => { narrow.value = phone.matches })

/** Asking is a dialog that is open. */
export type Asking =
  | { what: "jump" }
  | { what: "keys" }
  | { what: "status" }
  | { what: "new conversation"; people?: readonly Choice[] }
  | { what: "add people"; conversation: string }
  | { what: "new group"; people?: readonly Choice[] }
  | { what: "quiet hours" }
  | { what: "new theme"; group: string; name: string; draft: string }
  | { what: "report" | "versions" | "forward" | "seen"; conversation: Conversation; message: Message }
  | { what: "later"; conversation?: string; item?: Scheduled; about?: { conversation: string; message: string } }
  | { what: "program"; conversation: Conversation; message: Message; act: ProgramAct }
  | { what: "task"; conversation?: string; message?: string; text?: string; task?: Task }

/** asking is the dialog that is open, if one is. */
export const asking = signal<Asking | undefined>(undefined)

/** close closes the dialog. */
export function close(): void {
  asking.value = undefined
}

/** byName is whether groups are in order of their names; else the newest comes first. */
export const byName = keptValue("tree/by-name", true)

/** favourites are the conversations that stand first. */
export const favourites = keptValue<readonly string[]>("tree/favourites", [])

/** folded are the parts of the tree that are closed. */
export const folded = keptValue<readonly string[]>("tree/folded", [])

/** toggle adds a value to a list, or takes it out. */
export function toggle(list: readonly string[], value: string): readonly string[] {
  return list.includes(value) ? list.filter((v) => v !== value) : [...list, value]
}
