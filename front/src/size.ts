// Sizes of files in words.

import { lang } from "./i18n"

const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const

/** sizeOf writes a number of bytes for people. */
export function sizeOf(bytes: number): string {
  let unit = 0
  let n = bytes
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000
    unit++
  }
  return new Intl.NumberFormat(lang, { style: "unit", unit: units[unit]!, unitDisplay: "short",
    maximumFractionDigits: n < 10 && unit > 0 ? 1 : 0 }).format(n)
}
