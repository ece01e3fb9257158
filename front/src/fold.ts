// Comparing words as people do.

/** fold makes words comparable: without upper case and accents. */
export function fold(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
}
