// Applies events to conversations, and draws the tree as lines: an indent for each level, then the name and what is new.
import "./browser"
import { apply } from "../src/apply"
import { favourites, folded } from "../src/panes"
import { conversations, current, replaceAll } from "../src/store"
import { nextUnread, rows } from "../src/treemodel"
import type { Conversation } from "../src/types"
import { answer } from "./script"

interface Input {
  conversations: Conversation[]
  events: { name: string; data: unknown }[]
  current: string
  folded: string[]
  favourites: string[]
}

await answer((input: Input) => {
  replaceAll(input.conversations)
  current.value = input.current ? { conversation: input.current } : undefined
  folded.value = input.folded
  favourites.value = input.favourites
  for (const { name, data } of input.events) apply(name, data)
  return {
    tree: rows.value.map((r) => {
      const c = r.conversation
      const unread = (c?.unread ?? 0) + (r.hidden?.unread ?? 0)
      const mentions = (c?.mentions ?? 0) + (r.hidden?.mentions ?? 0)
      const open = r.open === undefined ? "" : r.open ? "- " : "+ "
      const news = (mentions ? ` @${mentions}` : "") + (unread ? ` ${unread}` : "")
      return "  ".repeat(r.level - 1) + open + (c?.name ?? r.name) + news
    }),
    last: Object.fromEntries([...conversations.value.values()].flatMap((c) => c.last ? [[c.id, c.last.text]] : [])),
    next: nextUnread(1)?.id ?? "",
    before: nextUnread(-1)?.id ?? "",
  }
})

// What counts the days and typers would keep the process alive.
;(globalThis as unknown as { process: { exit(code: number): never } }).process.exit(0)
