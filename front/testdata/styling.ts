// Runs the parser of styling outside a browser. It reads {cases, fuzz} as JSON from standard input: texts to parse, and
// how many random ones to try. It writes {trees, broken, slow} as JSON.
import { folded, isOnlyEmoji, parse, type Block, type MentionRange, type Span } from "../src/styling"
import { answer } from "./script"

interface Case { text: string; mentions?: MentionRange[] }

// drawn writes a tree so that it is easy to read: <b> for strong, <i>, <s>, <code>, <a>, <@>, <q> for quotations and
// <pre> for preformatted blocks.
function drawn(text: string, blocks: Block[]): string {
  return blocks.map((b) => {
    if (b.kind === "quote") return "<q>" + drawn(text, b.blocks) + "</q>"
    if (b.kind === "pre") {
      return `<pre ${b.language}>`.replace(" >", ">") +
        b.lines.map((l) => text.slice(l.begin, l.end)).join("\n") + "</pre>"
    }
    return b.lines.map((l) => spans(text, l)).join("\n")
  }).join("|")
}

const tags = { strong: "b", emphasis: "i", strike: "s", code: "code", link: "a", mention: "@" } as const

function spans(text: string, list: Span[]): string {
  return list.map((s) => {
    if (s.kind === "text") return text.slice(s.begin, s.end)
    const inside = "spans" in s ? spans(text, s.spans) : text.slice(s.begin, s.end)
    return `<${tags[s.kind]}>${inside}</${tags[s.kind]}>`
  }).join("")
}

// hidden gives the parts of a text that no leaf of its tree has; it fails if leaves overlap or are out of order.
function hidden(text: string, blocks: Block[]): string[] {
  const parts: string[] = []
  let at = 0
  const leaf = (begin: number, end: number) => {
    if (begin < at || end < begin || end > text.length) throw new Error(`a leaf from ${begin} to ${end} after ${at}`)
    parts.push(text.slice(at, begin))
    at = end
  }
  const ofSpan = (s: Span): void => "spans" in s ? s.spans.forEach(ofSpan) : leaf(s.begin, s.end)
  const ofBlock = (b: Block): void => {
    if (b.kind === "quote") b.blocks.forEach(ofBlock)
    else if (b.kind === "pre") b.lines.forEach((l) => leaf(l.begin, l.end))
    else b.lines.forEach((l) => l.forEach(ofSpan))
  }
  blocks.forEach(ofBlock)
  parts.push(text.slice(at))
  return parts
}

// Numbers that look random and are the same at each run (a linear congruence, Numerical Recipes).
let state = 1
function random(n: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}

const pieces = ["*", "_", "~", "`", "```", ">", "> ", "\n", " ", "a", "bc", "é", "😀", "👩‍👩‍👧", "\ud83d", "\udc00",
  "\t",   "https://example.org/a_b*c", "xmpp:bob@example.org?join", "xmpp:", "@Bob", "(", ")", ".", "\u202e", "ا", "\u0000"]

function randomText(): string {
  let text = ""
  for (let n = random(60); n > 0; n--) text += pieces[random(pieces.length)]
  return text
}

function randomMentions(text: string): MentionRange[] {
  return Array.from({ length: random(4) }, () => {
    const begin = random(text.length + 10) - 2
    return { begin, end: begin + random(12) - 1 }
  })
}

// A part of the text is hidden only if it is a directive, begins a quotation, or is a fence with its language.
function check(text: string, mentions: MentionRange[]): string | undefined {
  try {
    for (const gap of hidden(text, parse(text, mentions))) {
      if (!/^(?:[*_~`>\s]|```[^\n]*)*$/.test(gap)) return `hides ${JSON.stringify(gap)}`
    }
    const first = folded(text)
    if (first !== undefined && !text.startsWith(first)) return "folds to something else"
    isOnlyEmoji(text)
    return undefined
  } catch (err) {
    return String(err)
  }
}

// long reads hostile texts that are far longer than a message may be: where the time grew with the square of the length,
// the test would not end.
function long(): string[] {
  const hostile = ["*a ", "*a", "_*~", "`", ">", "> > ", "```\n", "https://", "xmpp:", "((((",
    "https://a.b/)))", "*_~`a ", " *", "@"]
  const mentions = Array.from({ length: 50 }, (_, i) => ({ begin: i * 2, end: i * 2 + 1 }))
  return hostile.flatMap((piece) => check(piece.repeat(500_000), mentions) ?? [])
}

await answer(({ cases, fuzz }: { cases: Case[]; fuzz: number }) => {
  const broken: string[] = []
  for (let i = 0; i < fuzz && broken.length < 10; i++) {
    const text = randomText()
    const mentions = randomMentions(text)
    const wrong = check(text, mentions)
    if (wrong) broken.push(`${JSON.stringify(text)} ${JSON.stringify(mentions)}: ${wrong}`)
  }
  return {
    trees: cases.map((c) => drawn(c.text, parse(c.text, c.mentions))),
    emoji: cases.map((c) => isOnlyEmoji(c.text)),
    folds: cases.map((c) => folded(c.text)?.length ?? -1),
    broken: fuzz > 0 ? [...broken, ...long()] : broken,
  }
})
