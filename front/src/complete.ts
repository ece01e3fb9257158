// What the menu of the field offers while one writes: names after @, emoji after :, commands after /, saved replies
// after /snippet.

import { useEffect, useState } from "preact/hooks"
import { at, call, query } from "./api"
import { commandsFor, type Command } from "./commands"
import { loadEmoji } from "./emoji"
import { T } from "./i18n"
import { fold } from "./fold"
import { snippetsLike } from "./saved"
import { statusLines } from "./statuscommand"
import type { Trigger } from "./trigger"
import type { Conversation, People, Person } from "./types"

/** Suggestion is a line of the menu. text stands in the field once it is chosen, in place of the trigger. */
export interface Suggestion {
  key: string
  text: string
  label: string
  detail?: string
  person?: Person
  icon?: string
  emoji?: string
  /** address is whom the text names. */
  address?: string | undefined
  /** send has the text sent as it is. */
  send?: boolean
}

/** Suggestions are what a menu offers. current is false while they are of earlier letters. */
export interface Suggestions { list: readonly Suggestion[]; current: boolean }

/** useSuggestions loads what a menu offers. Later answers to earlier letters are dropped. */
export function useSuggestions(conversation: Conversation, trigger: Trigger | undefined): Suggestions {
  const [found, setFound] = useState<{ for: string; list: readonly Suggestion[] }>({ for: "", list: [] })
  const wanted = trigger ? `${conversation.id} ${trigger.kind} ${trigger.query}` : ""
  useEffect(() => {
    if (!trigger) return
    const cancel = new AbortController()
    const put = (list: readonly Suggestion[]) => {
      if (!cancel.signal.aborted) setFound({ for: wanted, list })
    }
    // Without an answer there is no menu, and what is written stays as it is.
    const look = () => void suggest(conversation, trigger, cancel.signal).then(put, () => put([]))
    const timer = setTimeout(look, trigger.kind === "person" && !known(conversation, trigger.query) ? 120 : 0)
    return () => {
      clearTimeout(timer)
      cancel.abort()
    }
  }, [wanted])
  if (!trigger) return { list: [], current: true }
  const current = found.for === wanted
  // While the next answer is on its way the last one stays, if it is of the same menu.
  const kind = `${conversation.id} ${trigger.kind} `
  // Of statuses there is no way to it, and Enter sends a text that none of them begins with.
  const fits = trigger.kind === "status" ? current : found.for.startsWith(kind)
  return { list: fits ? found.list : [], current }
}

async function suggest(conversation: Conversation, trigger: Trigger, cancel: AbortSignal): Promise<Suggestion[]> {
  switch (trigger.kind) {
    case "person":
      return suggestPeople(conversation, await people(conversation, trigger.query, cancel), trigger.query)
    case "emoji": return suggestEmoji(trigger.query)
    case "command": return suggestCommands(conversation, trigger.query)
    case "status": return suggestStatus(trigger.query)
    case "snippet": return suggestSnippets(trigger.query)
  }
}

const shown = 8 // lines of a menu
const fresh = 60_000 // ms for which answers are used again
const answers = new Map<string, { at: number; people: People }>()

function known(conversation: Conversation, q: string): People | undefined {
  const answer = answers.get(conversation.id + " " + fold(q))
  return answer && Date.now() - answer.at < fresh ? answer.people : undefined
}

async function people(conversation: Conversation, q: string, cancel: AbortSignal): Promise<People> {
  const before = known(conversation, q)
  if (before) return before
  const found = await call<People>("GET", at(conversation.id, "people") + query({ q, limit: shown }), undefined, cancel)
  if (answers.size > 200) answers.clear()
  answers.set(conversation.id + " " + fold(q), { at: Date.now(), people: found })
  return found
}

function suggestPeople(conversation: Conversation, found: People, q: string): Suggestion[] {
  const begins = (...words: string[]) => words.some((w) => fold(w).startsWith(fold(q)))
  const list: Suggestion[] = found.people.filter((p) => p.id !== conversation.me).map((p) => ({
    key: p.id,
    text: `@${p.name} `,
    label: p.name,
    person: p,
    address: p.address,
    detail: p.here ? "" : T("Not here now"),
  }))
  for (const t of found.teams) {
    list.push({ key: "team " + t.slug, text: `@${t.slug} `, label: `@${t.slug}`, icon: "users",
      detail: T("{{.Team}}: {{.Count}} people will be told", { Team: t.name, Count: t.people }) })
  }
  if (found.everyone !== undefined && begins("all", "everyone", T("everyone"))) {
    list.push({ key: "all", text: "@all ", label: "@all", icon: "megaphone",
      detail: T("Everyone: {{.Count}} people will be told", { Count: found.everyone }) })
  }
  if (found.here !== undefined && begins("here", T("here"))) {
    list.push({ key: "here", text: "@here ", label: "@here", icon: "radio",
      detail: T("Those who are here now: {{.Count}} people will be told", { Count: found.here }) })
  }
  return list
}

async function suggestEmoji(q: string): Promise<Suggestion[]> {
  const emoji = await loadEmoji()
  return emoji.find(q.replaceAll("_", " "), shown).map((e) =>
    ({ key: e.emoji, text: e.emoji + " ", label: e.name, emoji: e.emoji }))
}

async function suggestSnippets(words: string): Promise<Suggestion[]> {
  return (await snippetsLike(words, shown)).map((s) => ({
    key: s.team + " " + s.name,
    text: s.text,
    label: s.name,
    detail: `${s.team_name}: ${s.text.replace(/\s+/g, " ").slice(0, 120)}`,
    icon: "text-quote",
  }))
}

function suggestStatus(written: string): Suggestion[] {
  return statusLines(written).map((line) =>
    ({ key: line.text, text: "/status " + line.text, label: line.text, detail: line.about, icon: "circle-dot" }))
}

function suggestCommands(conversation: Conversation, q: string): Suggestion[] {
  return commandsFor(conversation).filter((c) => c.word.startsWith(q.toLowerCase())).map((c: Command) => ({
    key: c.word,
    text: c.args ? `/${c.word} ` : `/${c.word}`,
    label: `/${c.word} ${c.args}`.trim(),
    detail: c.about,
    icon: c.icon,
    send: !c.args,
  }))
}
