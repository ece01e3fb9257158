// Links in a text that is written, and their previews, which the server makes.

import { signal, type Signal } from "@preact/signals"
import { call, query } from "./api"
import { boot } from "./boot"
import { keptValue } from "./kept"
import { linkIn } from "./linkin"
import type { Preview } from "./types"

/** showsPreviews is whether one sees previews of links, and sends them. */
export const showsPreviews = keptValue("previews", true)

/** What the server said of addresses; null: there is no preview. The last ones are kept. */
const known = new Map<string, Signal<Preview | null | undefined>>()
const mostKnown = 50

/** refused has the addresses whose preview is not to go with the message that is written, by conversation. */
const refused = new Map<string, Signal<string>>()

/** refusedIn is the address whose preview does not go with the message of a conversation. */
export function refusedIn(conversation: string): Signal<string> {
  let r = refused.get(conversation)
  if (!r) refused.set(conversation, r = keptValue("no-preview/" + conversation, ""))
  return r
}

/** linkOf gives the address in a text whose preview goes with it; undefined: there is none, or none is wanted. */
export function linkOf(conversation: string, text: string): string | undefined {
  if (!boot.previews || !showsPreviews.value) return undefined
  const address = linkIn(text, location.origin)
  return address === undefined || refusedIn(conversation).value === address ? undefined : address
}

/** describe gives the preview of an address, once it is there. It is asked for at most once. */
export function describe(address: string): Signal<Preview | null | undefined> {
  let found = known.get(address)
  if (!found) {
    found = signal(undefined)
    for (const old of known.keys()) {
      if (known.size < mostKnown) break
      known.delete(old)
    }
    known.set(address, found)
    const set = found
    call<Preview>("GET", "/preview" + query({ address })).then((p) => { set.value = p }, () => { set.value = null })
  }
  return found
}

/** isKnown says whether the server was asked for an address already. */
export function isKnown(address: string): boolean {
  return known.has(address)
}
