// The styling of messages (XEP-0393): text becomes a tree of blocks and spans. Nodes hold places in the text instead of
// copies, so that mentions, whose places are counted in the whole text, need no translation. Time is linear in the
// length of the text: see closings.

/** A piece of text that is shown as it is, from begin to end in UTF-16 units. */
export interface TextSpan { kind: "text"; begin: number; end: number }
/** The address of a page, or of a room or a person (xmpp:). */
export interface LinkSpan { kind: "link"; begin: number; end: number; href: string }
/** A name that a message mentions. */
export interface MentionSpan { kind: "mention"; begin: number; end: number; address?: string; everyone?: boolean }
/** Text between backquotes. */
export interface CodeSpan { kind: "code"; begin: number; end: number }
/** Spans between two directives. */
export interface StyledSpan { kind: "strong" | "emphasis" | "strike"; spans: Span[] }
/** A part of a line. */
export type Span = TextSpan | LinkSpan | MentionSpan | CodeSpan | StyledSpan

/** A range of the text without its line break. */
export interface Range { begin: number; end: number }
/** Lines, a preformatted block, or a quotation. */
export type Block =
  | { kind: "lines"; lines: Span[][] }
  | { kind: "pre"; lines: Range[]; language: string }
  | { kind: "quote"; blocks: Block[] }

/** A mention as the server gives it: begin and end count code points. */
export interface MentionRange { begin: number; end: number; address?: string; everyone?: boolean }

// Deeper quotations are shown as text: nobody reads them, and each level costs another look at the line.
const deepest = 8

const spanKinds: Record<string, StyledSpan["kind"]> = { "*": "strong", "_": "emphasis", "~": "strike" }

// A fence begins a preformatted block; the rest of its line names a language.
const fence = "```"

interface Atom { begin: number; end: number; span: LinkSpan | MentionSpan }

interface Text {
  text: string
  atoms: Atom[]               // links and mentions in order, of which none overlaps another
  next: Map<string, Int32Array> // for each directive and place, where the next one that can close is
}

/** parse gives the blocks of a text. */
export function parse(text: string, mentions: readonly MentionRange[] = []): Block[] {
  const atoms = atomsOf(text, mentions)
  const t: Text = { text, atoms, next: closings(text, atoms) }
  return blocks(t, lineRanges(text), 0)
}

function lineRanges(text: string): Range[] {
  const ranges: Range[] = []
  let begin = 0
  for (;;) {
    const end = text.indexOf("\n", begin)
    if (end < 0) break
    ranges.push({ begin, end })
    begin = end + 1
  }
  ranges.push({ begin, end: text.length })
  return ranges
}

function blocks(t: Text, lines: Range[], depth: number): Block[] {
  const found: Block[] = []
  for (let i = 0; i < lines.length;) {
    const { begin, end } = lines[i]!
    if (t.text.startsWith(fence, begin) && begin + fence.length <= end) {
      const last = closingFence(t, lines, i + 1)
      const language = t.text.slice(begin + fence.length, end).trim()
      found.push({ kind: "pre", lines: lines.slice(i + 1, last), language })
      i = last + 1
    } else if (depth < deepest && isQuote(t, lines[i]!)) {
      const inner: Range[] = []
      for (; i < lines.length && isQuote(t, lines[i]!); i++) inner.push(unquoted(t, lines[i]!))
      found.push({ kind: "quote", blocks: blocks(t, inner, depth + 1) })
    } else {
      const spansOf: Span[][] = []
      do spansOf.push(spans(t, lines[i]!.begin, lines[i]!.end, ""))
      while (++i < lines.length && !beginsBlock(t, lines[i]!, depth))
      found.push({ kind: "lines", lines: spansOf })
    }
  }
  return found
}

function beginsBlock(t: Text, line: Range, depth: number): boolean {
  return depth < deepest && isQuote(t, line) ||
    t.text.startsWith(fence, line.begin) && line.begin + fence.length <= line.end
}

function isQuote(t: Text, line: Range): boolean {
  return line.begin < line.end && t.text[line.begin] === ">"
}

function unquoted(t: Text, line: Range): Range {
  const begin = line.begin + 1
  return { begin: begin < line.end && isSpace(t.text, begin) ? begin + 1 : begin, end: line.end }
}

function closingFence(t: Text, lines: Range[], from: number): number {
  let i = from
  while (i < lines.length && t.text.slice(lines[i]!.begin, lines[i]!.end) !== fence) i++
  return i
}

function isSpace(text: string, i: number): boolean {
  return /\s/.test(text[i]!)
}

// spans reads a part of a line. Each character is looked at once: a styled span is read by itself and stepped over.
function spans(t: Text, begin: number, end: number, parent: string): Span[] {
  const found: Span[] = []
  let plain = begin
  let atom = firstAtom(t.atoms, begin)
  for (let i = begin; i < end;) {
    const a = t.atoms[atom]
    if (a && a.begin <= i) {
      if (a.begin === i && a.end <= end) {
        text(found, plain, i)
        found.push(a.span)
        plain = i = a.end
      }
      atom++
      continue
    }
    const close = styledUntil(t, i, begin, end, parent)
    if (close < 0) {
      i++
      continue
    }
    text(found, plain, i)
    const mark = t.text[i]!
    if (mark === "`") found.push({ kind: "code", begin: i + 1, end: close })
    else found.push({ kind: spanKinds[mark]!, spans: spans(t, i + 1, close, mark) })
    plain = i = close + 1
    while (atom < t.atoms.length && t.atoms[atom]!.begin < i) atom++
  }
  text(found, plain, end)
  return found
}

function text(found: Span[], begin: number, end: number): void {
  if (begin < end) found.push({ kind: "text", begin, end })
}

// styledUntil gives where the directive at i is closed; -1 if none is there, or none that opens.
function styledUntil(t: Text, i: number, begin: number, end: number, parent: string): number {
  const mark = t.text[i]!
  const next = t.next.get(mark)
  if (!next || i + 2 >= end) return -1
  const opens = i === begin ? mark !== parent : isSpace(t.text, i - 1)
  // XEP-0393, section 5.2: some text stands between the directives, so that "****" is not styled.
  if (!opens || isSpace(t.text, i + 1) || t.text[i + 1] === mark) return -1
  const close = next[i + 2]!
  return close >= 0 && close < end ? close : -1
}

// closings looks once through the text, from its end, for each directive that is in it.
function closings(text: string, atoms: Atom[]): Map<string, Int32Array> {
  const found = new Map<string, Int32Array>()
  for (const mark of ["*", "_", "~", "`"]) {
    if (!text.includes(mark)) continue
    const next = new Int32Array(text.length + 1).fill(-1)
    let atom = atoms.length - 1
    for (let i = text.length - 1; i >= 0; i--) {
      while (atom >= 0 && atoms[atom]!.begin > i) atom--
      const inAtom = mark !== "`" && atom >= 0 && i < atoms[atom]!.end
      const closes = text[i] === mark && i > 0 && !isSpace(text, i - 1) && !inAtom
      next[i] = closes ? i : next[i + 1]!
    }
    found.set(mark, next)
  }
  return found
}

function firstAtom(atoms: Atom[], from: number): number {
  let low = 0
  let high = atoms.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (atoms[middle]!.begin < from) low = middle + 1
    else high = middle
  }
  return low
}

// atomsOf finds links and mentions. What is in one is no directive: underscores are frequent in addresses of pages.
function atomsOf(text: string, mentions: readonly MentionRange[]): Atom[] {
  const called = mentionAtoms(text, mentions) // the server gives 50 at most
  if (!text.includes(":")) return called
  const atoms = [...called]
  for (const found of text.matchAll(/(?<![\p{L}\p{N}])(?:https?:\/\/|xmpp:)[^\s<>"`]+/giu)) {
    const href = trimmed(found[0])
    if (!isLink(href)) continue
    const begin = found.index
    const end = begin + href.length
    if (called.some((a) => a.begin < end && begin < a.end)) continue
    atoms.push({ begin, end, span: { kind: "link", begin, end, href } })
  }
  return atoms.sort((a, b) => a.begin - b.begin)
}

function mentionAtoms(text: string, mentions: readonly MentionRange[]): Atom[] {
  if (mentions.length === 0) return []
  const places = codePointPlaces(text)
  const atoms: Atom[] = []
  let last = 0
  for (const m of [...mentions].sort((a, b) => a.begin - b.begin)) {
    const begin = places(m.begin)
    const end = places(m.end)
    if (begin === undefined || end === undefined || begin < last || end <= begin) continue
    if (text.slice(begin, end).includes("\n")) continue
    atoms.push({ begin, end, span: { kind: "mention", begin, end, address: m.address, everyone: m.everyone } })
    last = end
  }
  return atoms
}

// codePointPlaces turns a count of code points into a place in the text.
function codePointPlaces(text: string): (n: number) => number | undefined {
  if (!/[\ud800-\udbff]/.test(text)) return (n) => n >= 0 && n <= text.length ? n : undefined
  const places: number[] = []
  let at = 0
  for (const c of text) {
    places.push(at)
    at += c.length
  }
  places.push(at)
  return (n) => places[n]
}

// trimmed takes off what ends the sentence rather than the address; a closing bracket stays if it was opened.
function trimmed(address: string): string {
  let open = 0
  for (const c of address) open += c === "(" ? 1 : c === ")" ? -1 : 0
  let end = address.length
  for (; end > 0; end--) {
    const c = address[end - 1]!
    if (c === ")" && open < 0) open++
    else if (!".,;:!?'*_~]}»”’…".includes(c)) break
  }
  return address.slice(0, end)
}

function isLink(href: string): boolean {
  if (/^xmpp:/i.test(href)) return addressOf(href) !== undefined
  return /^https?:\/\/[^/?#]/i.test(href) && URL.canParse(href)
}

/** addressOf gives the bare address of an xmpp: link; undefined if it has none. */
export function addressOf(href: string): string | undefined {
  const rest = /^xmpp:(?:\/\/[^/?#]*\/)?([^?#/]+)/i.exec(href)?.[1]
  if (!rest) return undefined
  try {
    const address = decodeURIComponent(rest)
    return /^[^@\s/]+@[^@\s/]+$/.test(address) ? address : undefined
  } catch {
    return undefined
  }
}

// A picture with its shade, several joined, a flag or a key; the server's rule for reactions is the same.
const part = "(?:\\p{Extended_Pictographic}[\\ufe0f\\ufe0e]?\\p{Emoji_Modifier}?" +
  "(?:[\\u{e0020}-\\u{e007e}]+\\u{e007f})?)"
const onlyEmoji = new RegExp(`^(?:\\s|${part}(?:\\u200d${part})*|\\p{RI}\\p{RI}|[0-9#*]\\ufe0f?\\u20e3)+$`, "u")

/** isOnlyEmoji says whether a text is a few emoji and nothing else; it is shown big then. */
export function isOnlyEmoji(text: string): boolean {
  return text.length > 0 && text.length <= 60 && onlyEmoji.test(text) && /\S/.test(text)
}

/** How much of a long message is shown before "Show more". */
export const foldAfter = { characters: 2000, lines: 30 }

/** folded gives the first part of a long text, cut between words if it has any; undefined if it is not long. */
export function folded(text: string): string | undefined {
  let end = text.length > foldAfter.characters * 1.1 ? foldAfter.characters : text.length
  let at = -1
  for (let n = 0; n < foldAfter.lines; n++) {
    at = text.indexOf("\n", at + 1)
    if (at < 0 || at >= end) break
  }
  if (at >= 0 && at < end && at + 1 < text.length) return text.slice(0, at)
  if (end === text.length) return undefined
  const space = text.lastIndexOf(" ", end)
  if (space > end - 100) end = space
  else if (/[\ud800-\udbff]/.test(text[end - 1]!)) end--
  return text.slice(0, end)
}
