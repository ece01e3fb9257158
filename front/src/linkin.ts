// The link of a text that has a preview.

import { parse, type Block, type Span } from "./styling"

const longest = 2000 // characters of an address: the server takes no more

/** linkIn gives the first address of a page in a text, outside of quotations and of origin itself. */
export function linkIn(text: string, origin: string): string | undefined {
  if (!/https?:\/\//i.test(text)) return undefined
  for (const block of parse(text)) {
    const found = inBlock(text, block, origin)
    if (found !== undefined) return found
  }
  return undefined
}

function inBlock(text: string, block: Block, origin: string): string | undefined {
  if (block.kind !== "lines") return undefined
  for (const line of block.lines) {
    const found = inSpans(text, line, origin)
    if (found !== undefined) return found
  }
  return undefined
}

function inSpans(text: string, spans: readonly Span[], origin: string): string | undefined {
  for (const s of spans) {
    if (s.kind === "link") {
      const address = text.slice(s.begin, s.end)
      if (/^https?:\/\//.test(address) && address.length <= longest && new URL(address).origin !== origin) return address
    } else if ("spans" in s) {
      const found = inSpans(text, s.spans, origin)
      if (found !== undefined) return found
    }
  }
  return undefined
}
