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
  // In short, single bytes are "12 byte"; by their letter they are as the others.
  const unitDisplay = unit === 0 ? "narrow" : "short"
  return new Intl.NumberFormat(lang, { style: "unit", unit: units[unit]!, unitDisplay,
    maximumFractionDigits: n < 10 && unit > 0 ? 1 : 0 }).format(n)
}
