// All emoji with their names: a piece that is loaded when somebody looks for one.

import { emoji as rows } from "generated:emoji"
import { fold } from "./fold"
import { lang } from "./i18n"

/** Emoji is one emoji. name is in the language of the page. */
export interface Emoji {
  emoji: string
  group: number
  name: string
  /** shades says whether it comes in shades of skin. */
  shades: boolean
  names: string
  words: string
}

// Many a picture is followed by a character that asks for the picture; those that are pictures anyway go without it,
// as other clients send them.
const needless = /^(\p{Emoji_Presentation})\ufe0f$/u

/** emoji are all emoji, in the order of Unicode. */
export const emoji: readonly Emoji[] = rows.map(([characters, group, en, fr, words, shades]) => ({
  emoji: characters.replace(needless, "$1"),
  group,
  name: lang === "fr" ? fr : en,
  shades: shades === 1,
  names: ` ${fold(en)} ${fold(fr)}`,
  words: ` ${fold(words).replaceAll("_", " ")}`,
}))

/** find gives the emoji that have all words, in English or French; names that begin with the first word go first. */
export function find(words: string, limit: number): Emoji[] {
  const wanted = fold(words).split(/\s+/).filter(Boolean)
  if (!wanted.length) return []
  const scored: { e: Emoji; score: number }[] = []
  for (const e of emoji) {
    let score = 0
    for (const w of wanted) {
      if (fold(e.name).startsWith(w)) score += 4
      else if (e.names.includes(" " + w)) score += 3
      else if (e.words.includes(" " + w)) score += 2
      else {
        score = 0
        break
      }
    }
    if (score) scored.push({ e, score })
  }
  return scored.sort((a, b) => b.score - a.score).slice(0, limit).map((s) => s.e)
}

/** byEmoji gives an emoji by its characters, in any shade. */
export function byEmoji(characters: string): Emoji | undefined {
  return index.get(bare(characters))
}

const bare = (characters: string) => characters.replace(/[\u{1f3fb}-\u{1f3ff}\ufe0f]/gu, "")
const index = new Map(emoji.map((e) => [bare(e.emoji), e]))

/** shaded gives an emoji in a shade of skin: 1 to 5, or 0 for none. */
export function shaded(e: Emoji, shade: number): string {
  if (!e.shades || !shade) return e.emoji
  const [first, ...rest] = e.emoji
  const after = rest[0] === "\ufe0f" ? rest.slice(1) : rest
  return first + String.fromCodePoint(0x1f3fa + shade) + after.join("")
}
