// Times to come that one can choose with one click, or by the fields of a day and a time.

/** Moment is a time to come, with its name. */
export interface Moment { key: "hour" | "evening" | "tomorrow" | "monday"; at: Date }

/** momentsFrom gives the times that are offered at a moment, the first first: each in the zone of the browser. */
export function momentsFrom(now: Date): Moment[] {
  const list: Moment[] = [{ key: "hour", at: new Date(now.getTime() + 3_600_000) }]
  const day = (ahead: number, hour: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead, hour)
  if (now.getHours() < 17) list.push({ key: "evening", at: day(0, 18) })
  list.push({ key: "tomorrow", at: day(1, 9) })
  const monday = (8 - now.getDay()) % 7 || 7
  if (monday > 1) list.push({ key: "monday", at: day(monday, 9) })
  return list
}

/** momentOf reads the fields of a day and a time, in the zone of the browser; undefined if they name none. */
export function momentOf(day: string, hour: string): Date | undefined {
  const d = new Date(`${day}T${hour}`)
  return Number.isNaN(d.getTime()) ? undefined : d
}

/** hourKey gives a time of the day as a field has it, such as "09:00". */
export function hourKey(at: string | Date): string {
  const d = new Date(at)
  return `${String(d.getHours()).padStart(2, "0")}:${String(d.getMinutes()).padStart(2, "0")}`
}
