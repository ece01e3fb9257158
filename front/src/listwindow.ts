// The part of a long list that is drawn: browsers take time for each row, seen or not.

import type { Row } from "./rows"

/** View names the first and the last row that are drawn; undefined is the end of the list on that side. */
export interface View { from: string | undefined; to: string | undefined }

/** whole is a view of everything, as far as it fits: the end of the list if not all does. */
export const whole: View = { from: undefined, to: undefined }

const most = 240 // rows that are drawn
const step = 80 // rows that are added at an end

/** Part is a view in numbers: from the row `from` up to the one before `to`. */
export interface Part { from: number; to: number }

/** partOf says which rows are drawn. */
export function partOf(rows: readonly Row[], view: View): Part {
  const last = view.to === undefined ? -1 : rows.findIndex((r) => r.key === view.to)
  const to = last < 0 ? rows.length : last + 1
  const first = view.from === undefined ? 0 : rows.findIndex((r) => r.key === view.from)
  return { from: first < 0 || to - first > most ? Math.max(0, to - most) : first, to }
}

/** older gives a view with more rows above, and fewer below. */
export function older(rows: readonly Row[], view: View): View {
  const part = partOf(rows, view)
  const from = Math.max(0, part.from - step)
  return viewOf(rows, { from, to: Math.min(part.to, from + most) })
}

/** newer gives a view with more rows below, and fewer above. */
export function newer(rows: readonly Row[], view: View): View {
  const part = partOf(rows, view)
  const to = Math.min(rows.length, part.to + step)
  return viewOf(rows, { from: Math.max(part.from, to - most), to })
}

/** around gives a view with a row in its middle. */
export function around(rows: readonly Row[], key: string): View {
  const at = rows.findIndex((r) => r.key === key)
  const from = Math.max(0, at - most / 2)
  return viewOf(rows, { from, to: Math.min(rows.length, from + most) })
}

function viewOf(rows: readonly Row[], part: Part): View {
  return {
    from: part.from === 0 ? undefined : rows[part.from]?.key,
    to: part.to >= rows.length ? undefined : rows[part.to - 1]?.key,
  }
}

/** drawn gives the rows of a part. It begins with a day: the one of its first row. */
export function drawn(rows: readonly Row[], part: Part): readonly Row[] {
  const shown = rows.slice(part.from, part.to)
  if (shown[0] === undefined || shown[0].kind === "day") return shown
  const day = rows.findLast((r, i) => i < part.from && r.kind === "day")
  return day ? [day, ...shown] : shown
}
