// How one has arranged the tree, on all one's devices: the server keeps it a moment after it was changed.

import { batch, effect } from "@preact/signals"
import { call } from "./api"
import { read, write } from "./kept"
import { settle, told } from "./late"
import { byName, favourites, folded } from "./panes"
import { line, listed } from "./store"

/** Sidebar is what the server keeps. kept is false until something was arranged. */
export interface Sidebar { kept: boolean; favourites: string[]; byName: boolean; folded: string[] }

const name = "tree/synced"
const pause = 800 // ms: who orders favourites moves several

type Arranged = Pick<Sidebar, "favourites" | "byName" | "folded">

function textOf(s: Arranged): string {
  return JSON.stringify([s.favourites, s.byName, s.folded])
}

function here(): Arranged {
  return { favourites: favourites.value.slice(0, 200), byName: byName.value, folded: folded.value.slice(0, 500) }
}

/** takeSidebar follows what the server has, unless something was changed here that it does not have yet. */
export function takeSidebar(s: Sidebar): void {
  told(name)
  const local = textOf(here())
  const synced = read(name)
  if (synced === undefined || !s.kept) { // this browser meets the server's arrangement for the first time
    const union = [...s.favourites, ...favourites.peek().filter((id) => !s.favourites.includes(id))]
    batch(() => {
      favourites.value = union
      if (s.kept) take(s)
    })
    write(name, textOf(s))
    give()
    return
  }
  if (local !== synced && local !== textOf(s)) return give()
  write(name, textOf(s))
  batch(() => {
    favourites.value = s.favourites
    take(s)
  })
}

function take(s: Arranged): void {
  byName.value = s.byName
  folded.value = s.folded
}

let timer: ReturnType<typeof setTimeout> | undefined

function give(): void {
  clearTimeout(timer)
  timer = setTimeout(() => void push(), pause)
}

async function push(): Promise<void> {
  const now = here()
  if (read(name) === undefined || read(name) === textOf(now)) return
  try {
    await settle(call<Sidebar>("PUT", "/me/sidebar", now), (s, newer) => {
      if (newer(name)) return
      write(name, textOf(s))
      told(name)
    })
  } catch {
    // It stays here, and is told when the line is back.
  }
}

/** loadSidebar loads what the server has. */
export async function loadSidebar(): Promise<void> {
  try {
    await settle(call<Sidebar>("GET", "/me/sidebar"), (s, newer) => {
      if (!newer(name)) takeSidebar(s)
    })
  } catch {
    // The next time of being online asks again.
  }
}

/** watchSidebar keeps the tree the same on all devices. */
export function watchSidebar(): void {
  effect(() => {
    if (line.value === "online" && listed.value > 0) void loadSidebar()
  })
  effect(() => {
    here()
    give()
  })
}

/** moved gives a list in which a value stands one place earlier or later. */
export function moved(list: readonly string[], value: string, by: 1 | -1): readonly string[] {
  const from = list.indexOf(value)
  const to = from + by
  if (from < 0 || to < 0 || to >= list.length) return list
  const out = list.filter((v) => v !== value)
  out.splice(to, 0, value)
  return out
}
