// Answers that come late. While a request is under way, an event or something that one does may say what is newer than
// the answer: that stays.

/** Newer says whether something was told of after a request was sent. */
export type Newer = (thing: string) => boolean

interface Asked { at: number; newer: Set<string> }

const underWay = new Set<Asked>()
let count = 0
let saying = Infinity // when what is told of just now was asked for; an event, or what one does, is newer than all

/** told notes that things are known anew. An answer that was asked for earlier does not change them. */
export function told(...things: string[]): void {
  for (const { at, newer } of underWay) {
    if (at < saying) for (const thing of things) newer.add(thing)
  }
}

/**
 * settle waits for the answer to a request, and has it used. Of an answer to something that changes what the server
 * has, nothing is lost where it is not used: the server tells of the change in an event as well.
 */
export async function settle<T>(request: Promise<T>, use: (answer: T, newer: Newer) => void): Promise<T> {
  const asked: Asked = { at: ++count, newer: new Set() }
  underWay.add(asked)
  try {
    const answer = await request
    saying = asked.at
    use(answer, (thing) => asked.newer.has(thing))
    return answer
  } finally {
    saying = Infinity
    underWay.delete(asked)
  }
}
