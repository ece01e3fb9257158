// Names in a text that stand for people.

import type { Mention } from "./types"

const most = 50 // the server takes no more

/** mentionsIn finds the places where a text names people. names are addresses by what stands for them, with the @. */
export function mentionsIn(text: string, names: Readonly<Record<string, string>>): Mention[] {
  const longest = Object.keys(names).filter((name) => name.length > 1).sort((a, b) => b.length - a.length)
  const found: Mention[] = []
  let points = 0 // code points before i
  for (let i = 0; i < text.length && found.length < most;) {
    const name = text[i] === "@" && begins(text, i) ? longest.find((n) => isAt(text, n, i)) : undefined
    if (name) {
      const length = Array.from(name).length
      found.push({ begin: points, end: points + length, address: names[name]! })
      points += length
      i += name.length
    } else {
      points++
      i += text.codePointAt(i)! > 0xffff ? 2 : 1
    }
  }
  return found
}

function begins(text: string, i: number): boolean {
  return i === 0 || !/[\p{L}\p{N}@/]/u.test(text[i - 1]!)
}

function isAt(text: string, name: string, i: number): boolean {
  return text.startsWith(name, i) && !/^[\p{L}\p{N}]/u.test(text.slice(i + name.length, i + name.length + 2))
}

/** named keeps those names that are in the text, and drops the others. */
export function named(text: string, names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).filter(([name]) => text.includes(name)))
}
