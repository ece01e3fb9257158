// Days and times in the language of the page and the zone of the browser.

import { signal } from "@preact/signals"
import { T } from "./i18n"
import { lang } from "./i18n"

const clocks = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" })
const weekdays = new Intl.DateTimeFormat(lang, { weekday: "long", day: "numeric", month: "long" })
const days = new Intl.DateTimeFormat(lang, { day: "numeric", month: "long", year: "numeric" })
const shortDays = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short" })
const numeric = new Intl.DateTimeFormat(lang, { year: "2-digit", month: "2-digit", day: "2-digit" })
const moments = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short" })

/** today is the day, as dayKey writes it. It changes at midnight, so that what shows days is drawn again. */
export const today = signal(dayKey(new Date()))

/** dayKey names the day of a moment here, such as "2026-11-30". */
export function dayKey(at: string | Date): string {
  const d = new Date(at)
  const two = (n: number) => String(n).padStart(2, "0")
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}`
}

/** clock gives hours and minutes. */
export function clock(at: string | Date): string {
  return clocks.format(new Date(at))
}

/** dayName names a day as separators of messages do: "Today", "Yesterday", a weekday, or a date. */
export function dayName(at: string | Date): string {
  const ago = daysAgo(at)
  if (ago === 0) return T("Today")
  if (ago === 1) return T("Yesterday")
  return ago > 0 && ago < 180 ? weekdays.format(new Date(at)) : days.format(new Date(at))
}

/** short gives a moment in few letters, for lists: the time of today, else the day. */
export function short(at: string | Date): string {
  const ago = daysAgo(at)
  if (ago === 0) return clock(at)
  if (ago === 1) return T("Yesterday")
  return ago > 0 && ago < 180 ? shortDays.format(new Date(at)) : numeric.format(new Date(at))
}

/** moment gives a moment in full, for titles. */
export function moment(at: string | Date): string {
  return moments.format(new Date(at))
}

/** until gives the end of something: a time today, else a day with a time. */
export function until(at: string | Date): string {
  return daysAgo(at) === 0 ? clock(at) : `${shortDays.format(new Date(at))}, ${clock(at)}`
}

/** whenText says when something will be, within a sentence. */
export function whenText(at: string | Date): string {
  const tomorrow = new Date()
  tomorrow.setDate(tomorrow.getDate() + 1)
  if (dayKey(at) === dayKey(new Date())) return T("today at {{.Time}}", { Time: clock(at) })
  if (dayKey(at) === dayKey(tomorrow)) return T("tomorrow at {{.Time}}", { Time: clock(at) })
  return T("on {{.Day}}", { Day: until(at) })
}

function daysAgo(at: string | Date): number {
  const noon = (key: string) => Date.parse(key + "T12:00:00Z")
  return Math.round((noon(today.value) - noon(dayKey(at))) / 86_400_000)
}

function midnight(): void {
  today.value = dayKey(new Date())
  const now = new Date()
  const next = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1)
  setTimeout(midnight, next.getTime() - now.getTime() + 500)
}
midnight()
// A machine that slept past midnight has no timer that ran.
document.addEventListener("visibilitychange", () => { today.value = dayKey(new Date()) })
