// The reactions to a message: how many, and whose.

import { pickEmoji, used } from "./emoji"
import { T } from "./i18n"
import { isMine, react } from "./state"
import type { Author, Message } from "./types"
import { Icon } from "./ui"

const namesShown = 20
const most = 20 // reactions of one person

/** toggleReaction adds one's reaction to a message, or takes it back. */
export function toggleReaction(conversation: string, message: Message, emoji: string): void {
  const mine = (message.reactions ?? []).filter((r) => r.by.some((by) => isMine(conversation, by))).map((r) => r.emoji)
  const has = mine.some((e) => same(e, emoji))
  if (!has) used(emoji)
  const next = has ? mine.filter((e) => !same(e, emoji)) : [...mine, emoji].slice(-most)
  void react(conversation, message, next)
}

// Some clients send a picture with the character that asks for a picture, others without.
function same(a: string, b: string): boolean {
  return a.replaceAll("\ufe0f", "") === b.replaceAll("\ufe0f", "")
}

/** addReaction lets one choose an emoji for a message. */
export function addReaction(at: Element, conversation: string, message: Message): void {
  void pickEmoji(at, (emoji) => toggleReaction(conversation, message, emoji))
}

/** Reactions shows the reactions to a message; each is a button. */
export function Reactions({ conversation, message, may }: { conversation: string; message: Message; may: boolean }) {
  const list = message.reactions ?? []
  if (!list.length) return null
  return (
    <ul class="reactions" aria-label={T("Reactions")}>
      {list.map((r) => {
        const mine = r.by.some((by) => isMine(conversation, by))
        const who = namesOf(conversation, r.by)
        return (
          <li key={r.emoji}>
            <button type="button" class={mine ? "reaction own" : "reaction"} aria-pressed={mine} aria-disabled={!may}
              aria-label={T("{{.Emoji}} from {{.Names}}", { Emoji: r.emoji, Names: who })}
              onClick={() => may && toggleReaction(conversation, message, r.emoji)}>
              <span aria-hidden="true">{r.emoji}</span> <b>{r.by.length}</b>
              <span class="tip" aria-hidden="true">{who}</span>
            </button>
          </li>
        )
      })}
      {may && (
        <li>
          <button type="button" class="reaction add" aria-label={T("Add a reaction")} title={T("Add a reaction")}
            onClick={(e) => addReaction(e.currentTarget, conversation, message)}>
            <Icon name="smile-plus" />
          </button>
        </li>
      )}
    </ul>
  )
}

function namesOf(conversation: string, by: readonly Author[]): string {
  const mine = by.some((b) => isMine(conversation, b))
  const names = by.filter((b) => !isMine(conversation, b)).map((b) => b.name)
  if (mine) names.unshift(T("you"))
  if (names.length <= namesShown) return names.join(", ")
  return T("{{.Names}} and {{.Count}} more",
    { Names: names.slice(0, namesShown).join(", "), Count: names.length - namesShown })
}
