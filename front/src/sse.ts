// Reading of server-sent events (HTML, section 9.2) from the body of an answer: fetch can send headers and tells errors
// apart, which EventSource cannot.

/** Raw is an event as it was sent. */
export interface Raw { id: string | undefined; name: string; data: string }

const longest = 4 << 20 // characters of one event: more is no event of ours

/**
 * readEvents calls onEvent for each event, and onBeat whenever something arrives, until the body ends. It throws what
 * reading throws.
 */
export async function readEvents(body: ReadableStream<Uint8Array>, onBeat: () => void,
  onEvent: (e: Raw) => void): Promise<void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const parser = new Parser(onEvent)
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    onBeat()
    parser.push(decoder.decode(value, { stream: true }))
  }
}

/** Parser takes a stream of events in pieces of any length. */
export class Parser {
  private rest = ""
  private id: string | undefined
  private name = ""
  private data: string[] = []

  constructor(private readonly onEvent: (e: Raw) => void) {}

  /** push takes the next piece. */
  push(text: string): void {
    this.rest += text
    if (this.rest.length > longest) throw new Error("an event is too long")
    // A carriage return at the end may be half of a line end.
    const lines = this.rest.split(/\r\n|\n|\r(?!$)/)
    this.rest = lines.pop() ?? ""
    for (const line of lines) this.line(line)
  }

  private line(line: string): void {
    if (line === "") return this.dispatch()
    const colon = line.indexOf(":")
    if (colon === 0) return // a comment
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "")
    if (field === "data") this.data.push(value)
    else if (field === "event") this.name = value
    else if (field === "id" && !value.includes("\0")) this.id = value
  }

  private dispatch(): void {
    if (this.data.length) {
      this.onEvent({ id: this.id, name: this.name || "message", data: this.data.join("\n") })
    }
    this.name = ""
    this.data = []
  }
}
