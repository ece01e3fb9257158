// What the teams of one share: saved replies and contacts.

import { call } from "./api"
import { fold } from "./fold"

/** Snippet is a saved reply of one of one's teams. */
export interface Snippet { name: string; text: string; team: string; team_name: string }
/** SharedContact is an address that one of one's teams needs. */
export interface SharedContact { address: string; name?: string; team: string; team_name: string }

const fresh = 60_000 // ms for which an answer is used again

/** once gives a function that loads something, and uses the answer again for a while. A failure is not kept. */
function once<T>(path: string): () => Promise<T> {
  let at = -Infinity
  let answer: Promise<T> | undefined
  return () => {
    if (answer && performance.now() - at < fresh) return answer
    at = performance.now()
    const asked = call<T>("GET", path)
    answer = asked
    asked.catch(() => { if (answer === asked) answer = undefined })
    return asked
  }
}

const loadSnippets = once<Snippet[]>("/me/snippets")
const loadContacts = once<SharedContact[]>("/me/contacts")

/** snippetsLike finds saved replies: first those whose name begins with the words, then those that have them. */
export async function snippetsLike(words: string, limit: number): Promise<readonly Snippet[]> {
  const all = await loadSnippets()
  const begins = all.filter((s) => fold(s.name).startsWith(fold(words)))
  const others = all.filter((s) => !begins.includes(s) && has(words, s.name, s.text, s.team_name))
  return [...begins, ...others].slice(0, limit)
}

/** snippetNamed gives the saved reply with a name. */
export async function snippetNamed(name: string): Promise<Snippet | undefined> {
  return (await loadSnippets()).find((s) => fold(s.name) === fold(name))
}

/** contactsLike finds shared contacts by the beginnings of words of their names, addresses and teams. */
export async function contactsLike(words: string, limit: number): Promise<readonly SharedContact[]> {
  const found = (await loadContacts()).filter((c) => has(words, c.name ?? "", c.address, c.team_name))
  return found.filter((c, i) => found.findIndex((other) => other.address === c.address) === i).slice(0, limit)
}

/** has says whether each of the words begins a word of the texts. */
function has(words: string, ...texts: string[]): boolean {
  const there = fold(texts.join(" ")).split(/[^\p{L}\p{N}]+/u)
  return fold(words).split(/[^\p{L}\p{N}]+/u).filter(Boolean).every((w) => there.some((t) => t.startsWith(w)))
}
