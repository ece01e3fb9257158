// What the browser shows of the chat while one looks elsewhere: the title, the icons of the tab and the installed app.

import { computed } from "@preact/signals"
import { useEffect } from "preact/hooks"
import { boot } from "./boot"
import { T } from "./i18n"
import { whereText } from "./people"
import { place } from "./route"
import { conversations } from "./store"

/** news has how much calls for one (mentions, and all messages of colleagues), and whether other things are new. */
const news = computed(() => {
  let calls = 0
  let other = false
  for (const c of conversations.value.values()) {
    if (c.notify === "none") calls += c.mentions
    else if (c.kind === "person" || c.kind === "several" && c.notify === "all") calls += c.unread
    else {
      calls += c.mentions
      other ||= c.unread > c.mentions
    }
  }
  return { calls: Math.min(calls, 100), other }
})

const what = computed(() => {
  const p = place.value
  if (p.view === "missed") return T("Missed activity")
  if (p.view === "saved") return T("Saved messages")
  if (p.view === "search") return T("Search")
  const c = p.view === "conversation" ? conversations.value.get(p.conversation) : undefined
  return c ? whereText(c) : T("Chat")
})

/** BadgeKeeper keeps title and icons up. */
export function BadgeKeeper() {
  const { calls, other } = news.value
  const mark = calls > 0 ? `(${calls > 99 ? "99+" : calls}) ` : other ? "• " : ""
  const title = `${mark}${what.value} · ${boot.name}`
  useEffect(() => { document.title = title }, [title])
  useEffect(() => {
    void drawIcon(calls, other)
    const app = navigator as Navigator & { setAppBadge?: (n: number) => Promise<void> }
    void app.setAppBadge?.(calls).catch(() => undefined)
  }, [calls, other])
  return null
}

let plain: { link: HTMLLinkElement; href: string; image: Promise<HTMLImageElement> } | undefined
let drawn = ""
let latest = 0

/** drawIcon puts a number or a dot on the tab's icon. */
async function drawIcon(calls: number, other: boolean): Promise<void> {
  const mine = ++latest
  const link = document.querySelector<HTMLLinkElement>("link[rel=icon]")
  if (!link) return
  plain ??= { link, href: link.href, image: load(link.href) }
  let blob: Blob | null = null
  if (calls || other) {
    const image = await plain.image.catch(() => undefined)
    blob = image ? await draw(image, calls) : null
  }
  if (mine !== latest) return
  if (drawn) URL.revokeObjectURL(drawn)
  drawn = blob ? URL.createObjectURL(blob) : ""
  link.type = blob ? "image/png" : "image/svg+xml"
  link.href = drawn || plain.href
}

function load(address: string): Promise<HTMLImageElement> {
  const image = new Image()
  image.src = address
  return image.decode().then(() => image)
}

function draw(image: HTMLImageElement, calls: number): Promise<Blob | null> {
  const size = 64
  const canvas = document.createElement("canvas")
  canvas.width = canvas.height = size
  const pen = canvas.getContext("2d")
  if (!pen) return Promise.resolve(null)
  pen.drawImage(image, 0, 0, size, size)
  pen.fillStyle = "#d92d20"
  pen.beginPath()
  if (calls) pen.roundRect(calls > 9 ? 14 : 26, 24, calls > 9 ? 50 : 38, 40, 20)
  else pen.arc(50, 50, 14, 0, 2 * Math.PI)
  pen.fill()
  if (calls) {
    pen.fillStyle = "#fff"
    pen.font = "bold 32px sans-serif"
    pen.textAlign = "center"
    pen.fillText(calls > 99 ? "99" : String(calls), calls > 9 ? 39 : 45, 55)
  }
  return new Promise((resolve) => canvas.toBlob(resolve))
}
