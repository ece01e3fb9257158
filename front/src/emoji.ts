// Emoji that one uses, and the way to all others.

import { signal } from "@preact/signals"
import { keptValue } from "./kept"
import { T } from "./i18n"
import { toast } from "./toast"

const recentAtMost = 24

/** recent are the emoji that one used last, newest first. */
export const recent = keptValue<readonly string[]>("emoji/recent", [])

/** shade is the shade of skin that one uses: 1 to 5, or 0 for none. */
export const shade = keptValue<number>("emoji/shade", 0)

const usual = ["👍", "❤️", "😂", "🎉", "👀", "✅"]

/** quick gives a few emoji to be offered without looking for them: those used last, filled up with usual ones. */
export function quick(count: number): string[] {
  return [...new Set([...recent.value, ...usual])].slice(0, count)
}

/** used notes that one has used an emoji. */
export function used(emoji: string): void {
  recent.value = [emoji, ...recent.peek().filter((e) => e !== emoji)].slice(0, recentAtMost)
}

let data: Promise<typeof import("./emojidata")> | undefined

/** loadEmoji loads all emoji, once. */
export function loadEmoji(): Promise<typeof import("./emojidata")> {
  data ??= import("./emojidata").catch((err: unknown) => {
    data = undefined // the next one tries again
    throw err
  })
  return data
}

/** Picking is an open picker: where it opens, and what is done with the emoji. */
export interface Picking {
  at: Element
  pick: (emoji: string) => void
  view: typeof import("./emojipicker").EmojiPicker
}

/** picking is the picker that is open. */
export const picking = signal<Picking | undefined>(undefined)

/** pickEmoji opens the picker beside an element. */
export async function pickEmoji(at: Element, pick: (emoji: string) => void): Promise<void> {
  try {
    const { EmojiPicker } = await import("./emojipicker")
    picking.value = { at, pick, view: EmojiPicker }
  } catch {
    toast(T("The emoji could not be loaded. Check your connection."), { error: true })
  }
}
