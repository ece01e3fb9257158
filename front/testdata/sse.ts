// Reads a stream of events that arrives in two pieces, cut at each of its places, and all at once.
import { Parser, type Raw } from "../src/sse"
import { answer } from "./script"

function read(...pieces: string[]): string {
  const events: Raw[] = []
  const parser = new Parser((e) => events.push(e))
  for (const piece of pieces) parser.push(piece)
  return JSON.stringify(events)
}

await answer((stream: string) => {
  const whole = read(stream)
  const differ: number[] = []
  for (let i = 0; i <= stream.length; i++) {
    if (read(stream.slice(0, i), stream.slice(i)) !== whole) differ.push(i)
  }
  return { events: JSON.parse(whole), letters: read(...stream) === whole, differ }
})
