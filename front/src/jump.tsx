// Going anywhere by a few letters: conversations, then colleagues, then a search of messages.

import { boot } from "./boot"
import { T } from "./i18n"
import { close } from "./panes"
import { colleagues, conversationChoice, conversationsLike } from "./people"
import type { Choice, Found } from "./picker"
import { go, href, type Place } from "./route"
import { contactsLike } from "./saved"
import { order } from "./store"
import { Dialog, Picker } from "./ui"

const searching = "search "

/** Jump is the dialog of Ctrl+K. */
export function Jump() {
  const pick = (c: Choice, newTab: boolean) => {
    const to: Place = c.id.startsWith(searching)
      ? { view: "search", query: new URLSearchParams({ q: c.id.slice(searching.length) }).toString() }
      : { view: "conversation", conversation: c.id }
    close()
    if (newTab) window.open(href(to), "_blank")
    else go(to)
  }
  return (
    <Dialog title={T("Go to or search")} class="jump" onClose={close}>
      <Picker label={T("Conversations, people, messages")} load={look} onPick={pick} />
    </Dialog>
  )
}

/** look finds what is known here at once, and colleagues a moment later. */
async function look(words: string, cancel: AbortSignal, early: (found: Found) => void): Promise<Found> {
  if (!words) return { choices: recent() }
  const here = conversationsLike(words, 8).map((c) => ({ ...conversationChoice(c), section: T("Conversations") }))
  const messages: Choice[] = boot.search === false ? [] : [{
    id: searching + words,
    name: T("Search messages for “{{.Words}}”", { Words: words }),
    icon: "search",
    section: T("Messages"),
  }]
  early({ choices: [...here, ...messages] })
  const [people, contacts] = await Promise.all([
    colleagues(words, cancel, [], 6).catch(() => ({ choices: [] })),
    contactsLike(words, 6).catch(() => []),
  ])
  const others = people.choices.filter((p) => !here.some((c) => c.id === p.id))
  const shared = contacts.filter((s) => ![...here, ...others].some((c) => c.id === s.address)).map((s): Choice => ({
    id: s.address,
    name: s.name || s.address,
    detail: [s.team_name, s.name ? s.address : ""].filter(Boolean).join(" · "),
    section: T("Shared contacts"),
  }))
  return { choices: [...here, ...others.map((p) => ({ ...p, section: T("Colleagues") })), ...shared, ...messages] }
}

/** recent has what one may want next: what is unread, then the newest. */
function recent(): Choice[] {
  const unread = order.peek().filter((c) => c.mentions || c.unread && c.notify !== "none").slice(0, 5)
  const rest = order.peek().filter((c) => !unread.includes(c)).slice(0, 7)
  return [
    ...unread.map((c) => ({ ...conversationChoice(c), section: T("Unread") })),
    ...rest.map((c) => ({ ...conversationChoice(c), section: T("Recent") })),
  ]
}
