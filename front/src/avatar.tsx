// Pictures of people and rooms: a photo, or letters on a colour.

import { useState } from "preact/hooks"
import { T } from "./i18n"
import { until } from "./time"
import type { Status } from "./types"

/** hue gives a name one of the twelve colours that it has everywhere (internal/picture). */
export function hue(name: string): number {
  let h = 0x811c9dc5
  for (const byte of new TextEncoder().encode(name)) {
    h = Math.imul(h ^ byte, 0x01000193) >>> 0
  }
  return h % 12
}

/** initials gives the first letters of the first two words of a name. */
export function initials(name: string): string {
  const letters: string[] = []
  for (const word of name.split(/[\s._-]+/u)) {
    const letter = /[\p{L}\p{N}]/u.exec(word)?.[0]
    if (letter) letters.push(letter.toUpperCase())
    if (letters.length === 2) break
  }
  return letters.join("")
}

/** Avatar draws somebody's picture. id chooses the colour, name gives the letters. Screen readers leave it out. */
export function Avatar({ id, name, photo, size, square, status }: {
  id: string
  name: string
  photo?: string | undefined
  size?: "tiny" | "big"
  square?: boolean
  status?: Status | undefined
}) {
  const [broken, setBroken] = useState("")
  const classes = ["avatar", "h" + hue(id.split("@")[0] ?? id)]
  if (size) classes.push(size)
  if (square) classes.push("square")
  return (
    <b class={classes.join(" ")} aria-hidden="true">
      {initials(name)}
      {photo && photo !== broken && <img src={photo} alt="" loading="lazy" onError={() => setBroken(photo)} />}
      {status && status.show !== "offline" && <i class={"presence " + status.show} />}
    </b>
  )
}

/** statusText says in words what somebody's status is. */
export function statusText(status: Status | undefined): string {
  if (!status) return ""
  const words = status.text || showText(status.show)
  return status.until ? T("{{.Status}} until {{.Time}}", { Status: words, Time: until(status.until) }) : words
}

/** showText names a kind of availability. */
export function showText(show: Status["show"]): string {
  switch (show) {
    case "available": return T("Available")
    case "away": return T("Away")
    case "xa": return T("Away for long")
    case "dnd": return T("Do not disturb")
    case "offline": return T("Offline")
  }
}
