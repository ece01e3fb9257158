// What this browser keeps for the account between visits. Each account has its own, in case two people share a
// browser.

import { signal, type Signal } from "@preact/signals"
import { boot } from "./boot"

const prefix = `parley/${boot.me?.address ?? ""}/`

/** read gives what is kept under a name. */
export function read(name: string): string | undefined {
  try {
    return localStorage.getItem(prefix + name) ?? undefined
  } catch {
    return undefined // a browser that keeps nothing
  }
}

/** write keeps a text under a name; undefined removes it. It says whether it worked: storage can be full. */
export function write(name: string, value: string | undefined): boolean {
  try {
    if (value === undefined) localStorage.removeItem(prefix + name)
    else localStorage.setItem(prefix + name, value)
    return true
  } catch {
    return false
  }
}

/** names lists the names that begin with start. */
export function names(start: string): string[] {
  const out: string[] = []
  try {
    for (let i = 0; i < localStorage.length; i++) {
      const key = localStorage.key(i)
      if (key?.startsWith(prefix + start)) out.push(key.slice(prefix.length))
    }
  } catch {
    // a browser that keeps nothing
  }
  return out
}

/**
 * watch calls changed when another tab keeps something under a name that begins with start, with what is kept now: an
 * event may tell of something older, which written back would be there again.
 */
export function watch(start: string, changed: (name: string, value: string | undefined) => void): void {
  addEventListener("storage", (e) => {
    if (!e.key?.startsWith(prefix + start)) return
    const name = e.key.slice(prefix.length)
    changed(name, read(name))
  })
}

/** keptValue is a signal whose value all tabs share and the browser keeps. */
export function keptValue<T>(name: string, otherwise: T): Signal<T> {
  const parse = (text: string | undefined): T => {
    try {
      return text === undefined ? otherwise : JSON.parse(text) as T
    } catch {
      return otherwise
    }
  }
  const value = signal(parse(read(name)))
  value.subscribe((v) => {
    const text = JSON.stringify(v)
    if (read(name) !== text && (v !== otherwise || read(name) !== undefined)) write(name, text)
  })
  watch(name, (which, text) => {
    if (which === name) value.value = parse(text)
  })
  return value
}
