// What one may do with a message. The last word has the server.

import { isMine } from "./state"
import type { Conversation, Message } from "./types"

/** mayReply and the like say what one may do with a message. */
export function mayReply(c: Conversation, m: Message): boolean {
  return c.write && m.removed === undefined && m.by !== undefined
}

/** mayReact says whether one may react to a message. */
export function mayReact(c: Conversation, m: Message): boolean {
  return c.react && m.removed === undefined && m.by !== undefined
}

/** mayEdit says whether one may correct a message: the last word on it has the server. */
export function mayEdit(c: Conversation, m: Message): boolean {
  return c.write && m.removed === undefined && isMine(c.id, m.by) && (m.kind === undefined || m.kind === "me") &&
    (m.text !== "" || !m.files?.length) && m.opens === undefined
}

/** mayRetract says whether one may take a message back, or remove it. */
export function mayRetract(c: Conversation, m: Message): boolean {
  if (m.removed !== undefined || m.by === undefined || m.kind === "subject") return false
  return isMine(c.id, m.by) || c.manage && c.kind !== "person"
}

/** said says whether a message is something that somebody has said, and that is still there. */
export function said(m: Message): boolean {
  return m.by !== undefined && m.removed === undefined && m.kind !== "subject"
}
