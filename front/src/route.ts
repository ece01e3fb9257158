// The address of the page says what is shown. Links inside the front change it without loading the page.

import { signal } from "@preact/signals"
import { current } from "./store"

/** Place is what is shown: a conversation, or one of the lists. */
export type Place =
  | { view: "home" }
  | { view: "missed" }
  | { view: "tasks"; task?: string }
  | { view: "saved" }
  | { view: "scheduled" }
  | { view: "search"; query: string }
  | { view: "conversation"; conversation: string; message?: string }

const base = "/chat"

/** place is what the address names. */
export const place = signal<Place>({ view: "home" })

/** href writes the address of a place. */
export function href(to: Place): string {
  switch (to.view) {
    case "home": return base
    case "missed": return base + "/missed"
    case "saved": return base + "/saved"
    case "tasks": return base + "/tasks" + (to.task === undefined ? "" : "/" + encodeURIComponent(to.task))
    case "scheduled": return base + "/scheduled"
    case "search": return base + "/search" + (to.query && "?" + to.query)
    case "conversation": {
      const rest = to.message === undefined ? "" : "/" + encodeURIComponent(to.message)
      return `${base}/c/${encodeURIComponent(to.conversation)}${rest}`
    }
  }
}

/** parse reads an address; what it does not know is home. */
export function parse(url: URL): Place {
  const [, , kind, id, message] = url.pathname.split("/").map(decode)
  if (kind === "c" && id) return { view: "conversation", conversation: id, ...(message ? { message } : {}) }
  if (kind === "missed") return { view: "missed" }
  if (kind === "saved") return { view: "saved" }
  if (kind === "tasks") return { view: "tasks", ...(id ? { task: id } : {}) }
  if (kind === "scheduled") return { view: "scheduled" }
  if (kind === "search") return { view: "search", query: url.search.slice(1) }
  return { view: "home" }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

function show(to: Place): void {
  place.value = to
  current.value = to.view !== "conversation" ? undefined
    : { conversation: to.conversation, ...(to.message === undefined ? {} : { message: to.message }) }
}

/** go shows a place. replace leaves no step to go back to. */
export function go(to: Place, replace = false): void {
  const address = href(to)
  if (replace || address === location.pathname + location.search) window.history.replaceState(null, "", address)
  else window.history.pushState(null, "", address)
  show(to)
}

/** watchAddress follows the address, and takes clicks on links to places. */
export function watchAddress(): void {
  show(parse(new URL(location.href)))
  addEventListener("popstate", () => show(parse(new URL(location.href))))
  document.addEventListener("click", (e) => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return
    const link = e.target instanceof Element ? e.target.closest("a") : null
    if (!link || link.target || link.hasAttribute("download")) return
    const url = new URL(link.href, location.href)
    if (url.origin !== location.origin) return
    if (url.pathname !== base && !url.pathname.startsWith(base + "/")) return
    if (url.pathname.startsWith(base + "/converse")) return
    e.preventDefault()
    go(parse(url))
  })
}
