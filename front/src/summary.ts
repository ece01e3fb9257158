// Messages in one line, for quotes and for those who hear them.

import { T } from "./i18n"
import type { Message } from "./types"

/** summaryOf says in one line what is in a message. */
export function summaryOf(m: Pick<Message, "text" | "files" | "removed">): string {
  if (m.removed) return T("This message was removed.")
  return (m.text || m.files?.map((f) => f.name).join(", ") || "").replace(/\s+/g, " ").slice(0, 500)
}
