// Who is writing, below the messages.

import { T } from "./i18n"
import { isMine, typers } from "./state"

/** TypingLine says who is writing in a conversation. Its place stays when nobody is. */
export function TypingLine({ conversation }: { conversation: string }) {
  const who = (typers.value.get(conversation) ?? []).filter((by) => !isMine(conversation, by)).map((by) => by.name)
  return <p class="typing" role="status" dir="auto">{who.length > 0 && <><i aria-hidden="true" />{said(who)}</>}</p>
}

function said(who: readonly string[]): string {
  const [first = "", second = ""] = who
  if (who.length === 1) return T("{{.Name}} is writing …", { Name: first })
  if (who.length === 2) return T("{{.Name}} and {{.Other}} are writing …", { Name: first, Other: second })
  return T("Several people are writing …")
}
