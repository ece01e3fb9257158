// Times as people write them, in English and in French: "in 20 minutes", "demain à 9h30", "friday 17:00 to …".

import { fold } from "./fold"

/** Found is a time at the beginning of some words, and how many of them say it. */
interface Found { at: Date; words: number }

/** Asked is a time in a text, and what else the text says. */
export interface Asked { at: Date; rest: string }

const numbers: Record<string, number> = {
  a: 1, an: 1, one: 1, un: 1, une: 1, two: 2, deux: 2, three: 3, trois: 3, four: 4, quatre: 4, five: 5, cinq: 5,
  six: 6, ten: 10, dix: 10, fifteen: 15, quinze: 15, twenty: 20, vingt: 20, thirty: 30, trente: 30,
}

const minute = 60_000
const units: readonly [RegExp, number][] = [
  [/^(?:m|mn|min|mins|minutes?)$/, minute],
  [/^(?:h|hrs?|hours?|heures?)$/, 60 * minute],
  [/^(?:d|j|days?|jours?)$/, 24 * 60 * minute],
  [/^(?:w|weeks?|sem|semaines?)$/, 7 * 24 * 60 * minute],
]

const weekdays: Record<string, number> = {
  sunday: 0, sun: 0, dimanche: 0, monday: 1, mon: 1, lundi: 1, tuesday: 2, tue: 2, mardi: 2, wednesday: 3, wed: 3,
  mercredi: 3, thursday: 4, thu: 4, jeudi: 4, friday: 5, fri: 5, vendredi: 5, saturday: 6, sat: 6, samedi: 6,
}

const months: Record<string, number> = {
  january: 0, jan: 0, janvier: 0, february: 1, feb: 1, fevrier: 1, fevr: 1, march: 2, mar: 2, mars: 2, april: 3, apr: 3,
  avril: 3, avr: 3, may: 4, mai: 4, june: 5, jun: 5, juin: 5, july: 6, jul: 6, juillet: 6, juil: 6, august: 7, aug: 7,
  aout: 7, september: 8, sep: 8, sept: 8, septembre: 8, october: 9, oct: 9, octobre: 9, november: 10, nov: 10,
  novembre: 10, december: 11, dec: 11, decembre: 11,
}

/** Hours of parts of a day that are named without a time. */
const parts: Record<string, number> = {
  morning: 9, matin: 9, noon: 12, midi: 12, afternoon: 14, "apres-midi": 14, evening: 18, soir: 18, night: 18,
}

/** plain gives a word as it is compared. */
function plain(word: string | undefined): string {
  return fold(word ?? "").replaceAll("’", "'").replace(/[,.;:]+$/, "")
}

/** durationAt reads a duration: "20 minutes", "1h30", "half an hour". Months and years are too far to be meant. */
function durationAt(words: readonly string[], i: number): { ms: number; words: number } | undefined {
  const [one, two, three] = [plain(words[i]), plain(words[i + 1]), plain(words[i + 2])]
  if (one === "half" && two === "an" && three === "hour") return { ms: 30 * minute, words: 3 }
  if (one === "une" && two === "demi-heure") return { ms: 30 * minute, words: 2 }
  const hours = /^(\d{1,2})h(\d{2})$/.exec(one)
  if (hours) return { ms: (60 * Number(hours[1]) + Number(hours[2])) * minute, words: 1 }
  const joined = /^(\d{1,3})([a-z]+)$/.exec(one)
  const unitOf = (word: string) => units.find(([name]) => name.test(word))?.[1]
  const short = joined && unitOf(joined[2]!)
  if (short) return { ms: Number(joined[1]) * short, words: 1 }
  const many = /^\d{1,3}$/.test(one) ? Number(one) : numbers[one]
  const unit = unitOf(two)
  if (many === undefined || !unit) return undefined
  if (unit === 60 * minute && /^\d{2}$/.test(three)) return { ms: many * unit + Number(three) * minute, words: 3 }
  return { ms: many * unit, words: 2 }
}

/** clockAt reads a time of the day, in minutes: "9:30", "9h", "9 pm", "noon"; a bare number too where asked. */
function clockAt(words: readonly string[], i: number, bare: boolean): { minutes: number; words: number } | undefined {
  const one = plain(words[i])
  if (one === "noon" || one === "midi") return { minutes: 720, words: 1 }
  const m = /^(\d{1,2})(?:([:h.])(\d{2})?)?(am|pm)?$/.exec(one)
  if (!m) return undefined
  let hour = Number(m[1])
  const next = plain(words[i + 1])
  const half = m[4] ?? (next === "am" || next === "pm" ? next : undefined)
  const minutes = m[3] === undefined ? 0 : Number(m[3])
  if (m[2] !== "h" && m[3] === undefined && !half && !bare) return undefined
  if (hour > 23 || minutes > 59 || half && (hour < 1 || hour > 12)) return undefined
  if (half) hour = hour % 12 + (half === "pm" ? 12 : 0)
  return { minutes: 60 * hour + minutes, words: m[4] === undefined && half ? 2 : 1 }
}

/** dayAt reads a day: how many days it is ahead, or its date. hour is what the word itself says of the time. */
function dayAt(words: readonly string[], i: number,
  now: Date): { day: Date; words: number; hour?: number } | undefined {
  const [one, two, three] = [plain(words[i]), plain(words[i + 1]), plain(words[i + 2])]
  const ahead = (n: number) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + n)
  if (one === "today" || one === "aujourd'hui") return { day: ahead(0), words: 1 }
  if (one === "tonight") return { day: ahead(0), words: 1, hour: 18 }
  if ((one === "this" || one === "ce" || one === "cet") && two in parts) {
    return { day: ahead(0), words: 2, hour: parts[two]! }
  }
  if (one === "tomorrow" || one === "demain") return { day: ahead(1), words: 1 }
  if (one === "apres-demain") return { day: ahead(2), words: 1 }
  if (one === "the" && two === "day" && three === "after" && plain(words[i + 3]) === "tomorrow") {
    return { day: ahead(2), words: 4 }
  }
  const skip = one === "on" || one === "next" || one === "le" ? 1 : 0
  const name = skip ? two : one
  if (name in weekdays) {
    const prochain = plain(words[i + skip + 1]) === "prochain" ? 1 : 0
    return { day: ahead((weekdays[name]! - now.getDay() + 7) % 7 || 7), words: skip + 1 + prochain }
  }
  return dateAt(words, i + (one === "on" || one === "le" ? 1 : 0), i, now)
}

/** dateAt reads "2026-12-03", "3 December", "Dec 3" and "3 décembre", with or without a year. */
function dateAt(words: readonly string[], at: number, from: number,
  now: Date): { day: Date; words: number } | undefined {
  const [one, two, three] = [plain(words[at]), plain(words[at + 1]), plain(words[at + 2])]
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(one)
  if (iso) return real(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]), at + 1 - from)
  const number = (word: string) => /^(\d{1,2})(?:st|nd|rd|th|er)?$/.exec(word)?.[1]
  const [day, month] = two in months ? [number(one), months[two]] : [number(two), months[one]]
  if (day === undefined || month === undefined) return undefined
  if (/^\d{4}$/.test(three)) return real(Number(three), month, Number(day), at + 3 - from)
  const found = real(now.getFullYear(), month, Number(day), at + 2 - from)
  const over = found && found.day.getTime() < new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  return over ? real(now.getFullYear() + 1, month, Number(day), at + 2 - from) : found
}

function real(year: number, month: number, date: number, words: number): { day: Date; words: number } | undefined {
  const day = new Date(year, month, date)
  return day.getMonth() === month && day.getDate() === date ? { day, words } : undefined
}

/** timeAt reads a time at a word: a duration after "in", a day with a time, or a time alone, which is the next one. */
function timeAt(words: readonly string[], i: number, now: Date): Found | undefined {
  const one = plain(words[i])
  if (one === "in" || one === "dans") {
    const d = durationAt(words, i + 1)
    return d && { at: new Date(now.getTime() + d.ms), words: 1 + d.words }
  }
  const day = dayAt(words, i, now)
  if (day) {
    let end = i + day.words
    let hour = day.hour
    const part = plain(words[end])
    if (hour === undefined && part in parts) {
      hour = parts[part]!
      end++
    }
    const joint = isAt(words[end]) ? 1 : 0
    const clock = clockAt(words, end + joint, true)
    const minutes = clock ? clock.minutes : 60 * (hour ?? 9)
    if (clock) end += joint + clock.words
    const at = new Date(day.day.getFullYear(), day.day.getMonth(), day.day.getDate(), 0, minutes)
    return { at, words: end - i }
  }
  const joint = isAt(one) ? 1 : 0
  const clock = clockAt(words, i + joint, joint > 0)
  if (!clock) return undefined
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 0, clock.minutes)
  if (at.getTime() <= now.getTime()) at.setDate(at.getDate() + 1)
  return { at, words: joint + clock.words }
}

function isAt(word: string | undefined): boolean {
  return ["at", "a", "@", "vers"].includes(plain(word))
}

const joints = /^(?:to|that|about|of|de|que|pour)$/

/**
 * reminderOf reads what follows "/remind": a time first and then what it is about, or the other way round. It is
 * undefined if there is no time that is to come, or nothing to be reminded of.
 */
export function reminderOf(text: string, now: Date): Asked | undefined {
  const words = text.trim().split(/\s+/)
  if (["me", "moi"].includes(plain(words[0]))) words.shift()
  const first = timeAt(words, 0, now)
  const found = first ? { at: first.at, rest: words.slice(first.words) } : atEnd(words, now)
  if (!found || found.at.getTime() <= now.getTime()) return undefined
  const rest = withoutJoint(found.rest).join(" ")
  return rest ? { at: found.at, rest } : undefined
}

/** atEnd finds a time that ends the words; of several the longest. */
function atEnd(words: readonly string[], now: Date): { at: Date; rest: string[] } | undefined {
  for (let i = 1; i < words.length; i++) {
    const t = timeAt(words, i, now)
    if (t && i + t.words === words.length) return { at: t.at, rest: words.slice(0, i) }
  }
  return undefined
}

function withoutJoint(words: readonly string[]): string[] {
  const out = [...words]
  if (out.length > 1 && joints.test(plain(out[0]))) out.shift()
  if (out[0]) out[0] = out[0].replace(/^(?:d|qu)['’](?=\p{L})/iu, "").replace(/^[:–—-]+$/, "")
  return out.filter(Boolean)
}

/**
 * untilOf reads an end from the last words of a text: "until 15:00", "jusqu'à demain", "for 2 hours", and with bare
 * also "2h" alone. rest is what stands before.
 */
export function untilOf(text: string, now: Date, bare = false): { at?: Date; rest: string } {
  const words = text.trim().split(/\s+/).filter(Boolean)
  for (let i = 0; i < words.length; i++) {
    const at = endAt(words, i, now, bare)
    if (at) return { at, rest: words.slice(0, i).join(" ") }
  }
  return { rest: words.join(" ") }
}

/** endAt reads an end that begins at a word and takes all that follow. */
function endAt(words: readonly string[], i: number, now: Date, bare: boolean): Date | undefined {
  const one = plain(words[i])
  if (["until", "till", "jusqu'a", "jusqu'au", "jusque"].includes(one)) {
    const rest = words.slice(i + 1)
    const bareHour = clockAt(rest, 0, true)
    if (bareHour && bareHour.words === rest.length) return nextAt(bareHour.minutes, now)
    const t = timeAt(rest, 0, now)
    return t && t.words === rest.length && t.at.getTime() > now.getTime() ? t.at : undefined
  }
  const joint = one === "for" || one === "pendant" || one === "pour" ? 1 : 0
  const d = joint || bare ? durationAt(words, i + joint) : undefined
  return d && i + joint + d.words === words.length ? new Date(now.getTime() + d.ms) : undefined
}

function nextAt(minutes: number, now: Date): Date {
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 0, minutes)
  if (at.getTime() <= now.getTime()) at.setDate(at.getDate() + 1)
  return at
}

/** StatusAsked is what follows "/status": what one is, a text, and an end. */
export interface StatusAsked { show?: "available" | "away" | "dnd" | "xa"; text: string; until?: Date }

const shows: readonly [RegExp, StatusAsked["show"] & string][] = [
  [/^(?:dnd|do not disturb|busy|ne pas deranger|npd|occupee?)(?=\s|$)/, "dnd"],
  [/^(?:available|here|back|disponible|la|present)(?=\s|$)/, "available"],
  [/^(?:away|absente?)(?=\s|$)/, "away"],
  [/^xa(?=\s|$)/, "xa"],
]

/** statusOf reads what follows "/status". Words such as "clear" end a status. */
export function statusOf(text: string, now: Date): StatusAsked {
  const said = text.trim().replace(/\s+/g, " ")
  if (/^(?:clear|none|off|effacer|aucun)?$/.test(plain(said))) return { show: "available", text: "" }
  // Folding keeps the number of letters of these words, so that the rest of the text begins at the same place.
  const known = shows.flatMap(([name, show]) => {
    const m = name.exec(fold(said))
    return m ? [{ show, length: m[0].length }] : []
  })[0]
  const { at, rest } = untilOf(known ? said.slice(known.length) : said, now, known !== undefined)
  return { ...(known ? { show: known.show } : {}), text: rest, ...(at ? { until: at } : {}) }
}
